/** `luo rehearse -- CMD`: runs a program of the host on a real kernel, boot after boot. */
import type { GuestPrograms } from "./foreign_root.ts";
import type { GuestKernel } from "./guest_kernel.ts";
import type { AddedFile } from "./initramfs.ts";
import { modulesFor } from "./modules.ts";
import { BOOT_SHARE, NINE, RESULTS_SHARE } from "./init_script.ts";
import { BOOT_FILES, PLACE, SHARED } from "./places.ts";
import { quoted } from "./shell_text.ts";
import { type MachineResult, runMachine } from "./virtual_machine.ts";

export interface ProgramOptions {
  /** The image that is booted first. */
  readonly kernel: Pick<GuestKernel, "path" | "bytes" | "release">;
  /** The program: its path, its arguments without the name, its environment as `NAME=value`. */
  readonly path: string;
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly directory: string;
  /** RLIMIT_NOFILE, soft and hard; zeros leave the kernel's. */
  readonly nofile: readonly [bigint, bigint];
  readonly append?: string;
  readonly memory_mib?: number;
  readonly timeout_ms?: number;
  readonly boot_limit_ms?: number;
  /** Without them, those of the kernel. */
  readonly modules?: readonly AddedFile[];
  /** Without it, the programs and the root of this host. */
  readonly programs?: GuestPrograms | undefined;
  /** Files that the program finds in `BOOT_FILES`, by name. */
  readonly files?: Readonly<Record<string, Uint8Array | string>>;
  /** A directory of the host that the program may write to. The guest has it as `SHARED`. */
  readonly share?: string | undefined;
  readonly on_output: (stream: "out" | "err", bytes: Uint8Array) => void;
  readonly signal: AbortSignal;
}

/** The kernel cannot lay a writable layer over the files of the host. */
const NO_OVERLAY = "luo-vm: no overlay";

/** How the machine ended; `no_overlay` is a kernel without overlayfs. */
export type ProgramResult = Omit<MachineResult, "end"> & {
  readonly end: MachineResult["end"] | "no_overlay";
};

/** @throws MissingTool; LuoError; the reason of `signal` */
export async function rehearseProgram(options: ProgramOptions): Promise<ProgramResult> {
  const { kernel, append, memory_mib, timeout_ms, boot_limit_ms, on_output, signal } = options;
  const result = await runMachine({
    architecture: options.programs?.architecture,
    busybox: options.programs?.busybox,
    kernel: kernel.bytes,
    added: options.modules ?? await modulesFor(kernel),
    append,
    memory_mib,
    timeout_ms,
    boot_limit_ms,
    on_output,
    signal,
    guest: GUEST,
    files: { program: programScript(options), ...options.files },
    shares: [
      { tag: "host", path: options.programs?.root ?? "/", readonly: true },
      ...options.share === undefined ? [] : [{ tag: "shared", path: options.share, readonly: false }],
    ],
  });
  return result.console.includes(NO_OVERLAY) ? { ...result, end: "no_overlay" } : result;
}

/**
 * The root of the program is the root of the host, read-only, with a layer of memory over it. What a running system makes anew at
 * each boot (/proc, /sys, /dev, /run) is the guest's own.
 */
const GUEST = `
mkdir /host /layer /new
mount -t 9p -o ${NINE},cache=loose,ro host /host || echo "${NO_OVERLAY}"
mount -t tmpfs tmpfs /layer
mkdir /layer/files /layer/work
mount -t overlay -o lowerdir=/host,upperdir=/layer/files,workdir=/layer/work overlay /new ||
  { echo "${NO_OVERLAY}"; reboot -f; }
mkdir -p /new/proc /new/sys /new/dev /new/run /new/tmp
mount -t proc proc /new/proc
mount -t sysfs sysfs /new/sys
mount -t debugfs debugfs /new/sys/kernel/debug 2>/dev/null
mount -t cgroup2 cgroup2 /new/sys/fs/cgroup 2>/dev/null
mount -t devtmpfs devtmpfs /new/dev
mkdir -p /new/dev/shm /new/dev/pts
mount -t tmpfs tmpfs /new/dev/shm
mount -t devpts devpts /new/dev/pts 2>/dev/null
ln -s /proc/self/fd /new/dev/fd 2>/dev/null
ln -s fd/0 /new/dev/stdin 2>/dev/null
ln -s fd/1 /new/dev/stdout 2>/dev/null
ln -s fd/2 /new/dev/stderr 2>/dev/null
mount -t tmpfs tmpfs /new/run
mkdir -p /new/run/lock /new${PLACE}/boot /new${SHARED}
mount -t 9p -o ${NINE},cache=none shared /new${SHARED} 2>/dev/null
cp /bin/busybox /new${PLACE}/busybox
mount --bind ${BOOT_SHARE} /new${PLACE}/boot
chroot /new ${PLACE}/busybox sh ${PLACE}/boot/program </dev/null >>${RESULTS_SHARE}/out 2>>${RESULTS_SHARE}/err
status=$?
`;

/** Becomes the program, with the root of the host as its root. The shell sets variables of its own, so `env` sets all of them anew. */
function programScript({ path, args, env, directory, nofile: [soft, hard] }: ProgramOptions): string {
  const given = env.filter((one) => !MADE.some((name) => one.startsWith(`${name}=`)));
  const words = [
    ...given.map(quoted),
    `LUO_BOOT="$LUO_BOOT"`,
    `LUO_KERNEL=${BOOT_FILES}/kernel`,
    `LUO_INITRD=${BOOT_FILES}/initrd`,
    `LUO_CMDLINE="$(${PLACE}/busybox cat /proc/cmdline)"`,
    ...[path, ...args].map(quoted),
  ];
  return [
    // A soft limit above the hard one is refused, so the hard one goes first.
    ...soft === 0n ? [] : [`ulimit -Hn ${hard} 2>/dev/null`, `ulimit -Sn ${soft} 2>/dev/null`],
    `cd ${quoted(directory)} || cd /`,
    `exec ${PLACE}/busybox env -i ${words.join(" ")}`,
  ].join("\n") + "\n";
}

/** Variables that every boot sets. */
const MADE = ["LUO_BOOT", "LUO_KERNEL", "LUO_INITRD", "LUO_CMDLINE"];
