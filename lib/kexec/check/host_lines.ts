/** The lines about the running kernel: its demands on the image, and the memory that it leaves to the next kernel. */
import { arm64Memory } from "../arm64_image.ts";
import { parseBzImage } from "../bzimage.ts";
import { peSigned } from "../pe.ts";
import { cannotTell, type CheckLine, doesNotFit, fits } from "./line.ts";
import { faultsOf } from "./known_faults.ts";
import { KEXEC_DISABLED, LOCKDOWN, type RunningKernel } from "./running_kernel.ts";

/** The sizes of the things that must fit into memory. */
export interface Sizes {
  /** Bytes that the kernel needs to unpack and start; undefined: its header does not say. */
  readonly kernel?: number;
  readonly initrd: number;
  /** Undefined: there is no agent to tell. */
  readonly preserved?: number;
}

/** `kernel`: the bytes of the image that is loaded. */
export function sizesOf(kernel: Uint8Array, initrd: number, preserved: number | undefined): Sizes {
  return { kernel: arm64Memory(kernel) ?? parseBzImage(kernel)?.init_size, initrd, preserved };
}

export function hostLines(kernel: Uint8Array, sizes: Sizes, running: RunningKernel): CheckLine[] {
  return [
    allowed(running),
    signature(kernel, running),
    scratchLine(sizes, running),
    memoryLine(sizes, running),
    ...faultLines(running),
  ];
}

function allowed({ kexecDisabled }: RunningKernel): CheckLine {
  if (!kexecDisabled) return fits("kexec_allowed", "kexec is not switched off", KEXEC_DISABLED);
  const reason = "loading is switched off until the next boot: no image can be loaded";
  return doesNotFit("kexec_allowed", reason, KEXEC_DISABLED);
}

/** kernel_kexec_file_verify_sig of kernel/kexec_file.c: with lockdown, and with CONFIG_KEXEC_SIG_FORCE. */
function signature(kernel: Uint8Array, { lockdown, config }: RunningKernel): CheckLine {
  const forced = config?.value.get("CONFIG_KEXEC_SIG_FORCE") === "y";
  const locked = lockdown !== undefined && lockdown !== "none";
  const source = locked ? LOCKDOWN : config?.source ?? LOCKDOWN;
  if (!forced && !locked) return fits("signature", "no signature is demanded", source);
  const why = locked ? `lockdown is "${lockdown}"` : "CONFIG_KEXEC_SIG_FORCE=y";
  if (!peSigned(kernel)) {
    return doesNotFit(
      "signature",
      `${why}, and the kernel in the image is not signed`,
      `${source}; the image`,
    );
  }
  const reason = `${why}: the image is signed, and whether the kernel has the key is not known`;
  return cannotTell("signature", reason, `${source}; the image`);
}

const SCRATCH = "/sys/kernel/debug/kho/out/scratch_len; the image";

/** kho_locate_mem_hole() of kernel/liveupdate: with KHO, all segments of an image go into scratch areas. */
function scratchLine({ kernel, initrd }: Sizes, { scratch, handedOver }: RunningKernel): CheckLine {
  if (handedOver === undefined) return fits("scratch", "nothing is handed over", "/dev/liveupdate");
  if (scratch === undefined || kernel === undefined) {
    const missing = scratch === undefined
      ? "the sizes of the scratch areas are"
      : "the size of the kernel is";
    return cannotTell(
      "scratch",
      `${missing} not known: the kernel says it at the load (EADDRNOTAVAIL)`,
      SCRATCH,
    );
  }
  const total = scratch.reduce((sum, size) => sum + size, 0);
  const largest = Math.max(...scratch);
  const need = `the kernel needs ${mib(kernel)}, the initrd ${mib(initrd)}; the scratch areas have ${
    mib(total)
  }`;
  if (kernel + initrd <= total && Math.max(kernel, initrd) <= largest) return fits("scratch", need, SCRATCH);
  return doesNotFit(
    "scratch",
    `${need}, the largest ${mib(largest)}: boot with a larger kho_scratch=`,
    SCRATCH,
  );
}

function memoryLine({ kernel, initrd, preserved }: Sizes, { memory, handedOver }: RunningKernel): CheckLine {
  const source = `/proc/meminfo; ${preserved === undefined ? "" : "the agent; "}the image`;
  if (memory === undefined) return cannotTell("memory", "the size of the memory is not known", source);
  const loaded = kernel === undefined
    ? `the initrd needs ${mib(initrd)}, and what the kernel needs is not known,`
    : `kernel and initrd need ${mib(kernel + initrd)}`;
  const need = `${preserved === undefined ? "" : `${mib(preserved)} are preserved, `}${loaded} of ${
    mib(memory)
  }`;
  if ((preserved ?? 0) + (kernel ?? 0) + initrd >= memory) return doesNotFit("memory", need, source);
  if (preserved !== undefined || handedOver === undefined) return fits("memory", need, source);
  return cannotTell("memory", `${need}; no agent says how much is preserved`, source);
}

function mib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

function faultLines({ release }: RunningKernel): CheckLine[] {
  return faultsOf(release).map(({ name, what, remedy, fixedIn }) => {
    const fixed = fixedIn === undefined ? "" : ` (fixed in ${fixedIn})`;
    return fits("kernel_fault", `${what}${fixed}: ${remedy}`, `docs/kernel-faults/${name}.md`);
  });
}
