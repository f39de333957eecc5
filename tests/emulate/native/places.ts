/** Runs a program in two places that must look the same to it: Linux in a VM, and `luo emulate`. */
import { guestKernel } from "../../../lib/rehearse/guest_kernel.ts";
import { rehearseProgram } from "../../../lib/rehearse/rehearse_program.ts";
import { TALKING } from "../../../lib/rehearse/qemu.ts";
import { luoCommand } from "../../luo_under_test.ts";
import { imagePath } from "../../vm/images.ts";

/** A command for each boot, and its programs. */
export interface Job {
  /** A shell command, with `$P` for the directory of the programs. Its standard output is compared. */
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
  /** Standard error; in the virtual machine its console too. */
  readonly err: string;
  /** `uname -r` in the virtual machine. */
  readonly release: string;
}

/** In a virtual machine, as `luo rehearse -- sh -c COMMAND` has it. @throws MissingTool, LuoError */
export async function onLinux(job: Job): Promise<Ran> {
  const programs = await directoryOf(job);
  try {
    const kernel = imagePath();
    const said = { out: "", err: "" };
    const decoders = { out: new TextDecoder(), err: new TextDecoder() };
    const { end, status, console } = await rehearseProgram({
      kernel: await guestKernel(kernel),
      path: "/bin/sh",
      args: ["-c", job.command],
      env: [`P=${programs}`, "PATH=/usr/sbin:/usr/bin:/sbin:/bin"],
      directory: programs,
      nofile: [0n, 0n],
      append: TALKING,
      timeout_ms: job.timeout_ms,
      on_output: (stream, bytes) => said[stream] += decoders[stream].decode(bytes, { stream: true }),
      signal: new AbortController().signal,
    });
    const release = / Linux version (\S+)/.exec(console)?.[1] ?? "";
    return { status: status ?? -1, out: said.out, err: `${said.err}\n${end}\n${console}`, release };
  } finally {
    await Deno.remove(programs, { recursive: true });
  }
}

/** A directory with the programs of the job. */
async function directoryOf(job: Job): Promise<string> {
  const directory = await Deno.makeTempDir({ prefix: "luo-native-" });
  for (const [name, path] of Object.entries(job.programs)) {
    await Deno.copyFile(path, `${directory}/${name}`);
    await Deno.chmod(`${directory}/${name}`, 0o755);
  }
  return directory;
}

/** Under `luo emulate`, with its stand-in for the next kernel; `options` are those of `luo emulate`. */
export async function underEmulate(job: Job, options: readonly string[] = []): Promise<Ran> {
  const directory = await directoryOf(job);
  try {
    const child = luoCommand(["emulate", ...options, "--", "sh", "-c", job.command], {
      env: { P: directory },
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
