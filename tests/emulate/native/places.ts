/** Runs a program in two places that must look the same to it: Linux in a VM, and `luo emulate`. */
import { standInBzImage } from "../../../lib/kexec/bzimage.ts";
import { luoCommand } from "../../luo_under_test.ts";
import { runInVm } from "../../vm/vm.ts";

/** Programs are copied here: those that come by `files` are not executable, and the share is read-only. */
const PROGRAMS = "/tmp/programs";

/** What is run in each boot, as a shell would write it. */
export interface Job {
  /** With `$P` for the directory of the programs; standard output is what is compared. */
  readonly command: string;
  /** Static programs and scripts that are to be in `$P`, by name. */
  readonly programs: Readonly<Record<string, string>>;
  readonly boots: number;
  readonly timeout_ms: number;
}

export interface Ran {
  /** Exit status of the last boot. */
  readonly status: number;
  /** Standard output of all boots. */
  readonly out: string;
  /** Standard error; of the VM its console. */
  readonly err: string;
  /** `uname -r` of the machine that ran it; only of the VM. */
  readonly release: string;
}

/** @throws MissingTool, VmError */
export async function onLinux(job: Job): Promise<Ran> {
  const results_dir = await Deno.makeTempDir({ prefix: "luo-native-" });
  try {
    const files: Record<string, Uint8Array> = {};
    for (const [name, path] of Object.entries(job.programs)) files[name] = await Deno.readFile(path);
    const script = `P=${PROGRAMS}; mkdir -p $P
for program in ${Object.keys(job.programs).join(" ")}; do cp /share/boot/$program $P; done; chmod 755 $P/*
export P LUO_NEXT_KERNEL=/share/boot/kernel LUO_NEXT_INITRD=/share/boot/initrd
export LUO_NEXT_CMDLINE="$(sed 's/luo.boot=.*//' /proc/cmdline)luo.boot=$((LUO_BOOT + 1))"
uname -r >/results/release
${job.command} >/results/out.$LUO_BOOT 2>/dev/console`;
    const commands = Array.from({ length: job.boots }, () => script);
    const vm = await runInVm({ commands, files, results_dir, timeout_ms: job.timeout_ms });
    const text = (name: string) => Deno.readTextFileSync(`${results_dir}/${name}`);
    const out = Array.from({ length: vm.boot }, (_, index) => text(`out.${index + 1}`)).join("");
    return { status: vm.status, out, err: vm.console, release: text("release").trim() };
  } finally {
    await Deno.remove(results_dir, { recursive: true });
  }
}

/** Below `luo emulate`, with a stand-in for the next kernel; `options` are those of `luo emulate`. */
export async function underEmulate(job: Job, options: readonly string[] = []): Promise<Ran> {
  const directory = await Deno.makeTempDir({ prefix: "luo-native-" });
  try {
    for (const [name, path] of Object.entries(job.programs)) {
      await Deno.copyFile(path, `${directory}/${name}`);
      await Deno.chmod(`${directory}/${name}`, 0o755);
    }
    const kernel = `${directory}/next-kernel`;
    await Deno.writeFile(kernel, standInBzImage({ release: "7.3.4-luo" }));
    const child = luoCommand(["emulate", ...options, "--", "sh", "-c", job.command], {
      env: { P: directory, LUO_NEXT_KERNEL: kernel, LUO_NEXT_CMDLINE: "liveupdate=on kho=on" },
      cwd: directory,
      stdin: "null",
      signal: AbortSignal.timeout(job.timeout_ms),
    });
    const { code, stdout, stderr } = await child.output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { status: code, out: text(stdout), err: text(stderr), release: "" };
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}
