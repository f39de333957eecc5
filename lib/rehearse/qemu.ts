/** The command line of QEMU. */
import type { Architecture } from "../kexec/file_kind.ts";
import { findTool } from "./missing_tool.ts";

/** A directory of the host that the guest sees by 9p. */
export interface Share {
  readonly tag: string;
  readonly path: string;
  readonly readonly: boolean;
}

/** The machine that QEMU starts. */
export interface Hardware {
  /** Without it, this host's. */
  readonly architecture?: Architecture | undefined;
  readonly kernel: string;
  readonly initrd: string;
  readonly append: string;
  readonly memory_mib: number;
  readonly shares: readonly Share[];
  /** The Unix socket at which QEMU's monitor is to listen. */
  readonly monitor?: string | undefined;
}

interface Platform {
  readonly program: string;
  readonly debianPackage: string;
  readonly args: readonly string[];
  readonly cpu: string;
  /** The serial console, as the kernel's command line names it. */
  readonly console: string;
}

const PLATFORMS: Readonly<Record<Architecture, Platform>> = {
  x86_64: {
    program: "qemu-system-x86_64",
    debianPackage: "qemu-system-x86",
    args: [],
    cpu: "max",
    console: "console=ttyS0",
  },
  aarch64: {
    program: "qemu-system-aarch64",
    debianPackage: "qemu-system-arm",
    args: ["-M", "virt"],
    // The architected algorithm for signed pointers makes an emulated CPU several times slower.
    cpu: "max,pauth-impdef=on",
    // Without earlycon, a kernel that panics before its serial driver runs (as LUO's start does) says nothing.
    console: "earlycon console=ttyAMA0",
  },
};

/** Words for every kernel. A panic ends the machine at once. `no_timer_check`: on a busy host the kernel would call its timer broken. */
const WORDS = "quiet panic=-1 no_timer_check kho=on liveupdate=on";
/** Shows what the kernel says while it boots, for a kernel on trial. A boot then takes a little longer. */
export const TALKING = "loglevel=6";

/** The kernel's command line for a rehearsal. */
export function commandLine(append = "", architecture: Architecture = Deno.build.arch): string {
  return `${PLATFORMS[architecture].console} ${WORDS} ${append}`.trim();
}

/**
 * The program and its arguments. The CPU is emulated, because nested KVM can hang and no time limit of the guest ends it then.
 *
 * @throws MissingTool
 */
export function qemuCommand(hardware: Hardware): string[] {
  const { program, debianPackage, args, cpu } = PLATFORMS[hardware.architecture ?? Deno.build.arch];
  return [
    findTool(program, debianPackage),
    ...args,
    ...["-accel", "tcg,thread=multi", "-cpu", cpu, "-smp", "2", "-m", `${hardware.memory_mib}M`],
    ...["-no-reboot", "-nographic", "-nodefaults", "-serial", "stdio"],
    ...["-kernel", hardware.kernel, "-initrd", hardware.initrd, "-append", hardware.append],
    ...hardware.shares.flatMap(share),
    ...hardware.monitor === undefined ? [] : ["-monitor", `unix:${hardware.monitor},server=on,wait=off`],
  ];
}

function share({ tag, path, readonly }: Share): string[] {
  // QEMU reads a doubled comma as one.
  const place = `path=${path.replaceAll(",", ",,")},mount_tag=${tag}`;
  return [
    "-virtfs",
    `local,${place},security_model=none,multidevs=remap${readonly ? ",readonly=on" : ""}`,
  ];
}
