/** The parts that all rehearsals share: the choice of the image, and the failures of the virtual machine. */
import type { Architecture } from "../../lib/kexec/file_kind.ts";
import { linux } from "../../lib/linux/system_calls.ts";
import { type GuestKernel, guestKernel } from "../../lib/rehearse/guest_kernel.ts";
import { kernelImage } from "../../lib/rehearse/kernel_image.ts";
import { lastWords } from "../../lib/rehearse/console.ts";
import type { ProgramResult } from "../../lib/rehearse/rehearse_program.ts";
import type { Context } from "../base/context.ts";
import { operand } from "../base/text.ts";
import { Failure } from "../errors/failure.ts";

/** How an image is chosen. */
export interface Choice {
  /** Without a name, the image of the running kernel comes first. */
  readonly preferRunning?: boolean;
  /** The architecture of the programs that the guest runs. Without it, this host's. */
  readonly programs?: Architecture;
}

/** The image to boot. Without a name see `kernelImage`. @throws MissingTool; LuoError `read`; Failure */
export async function chosenImage(
  { settings }: Context,
  name: string | undefined,
  { preferRunning, programs = Deno.build.arch }: Choice = {},
): Promise<GuestKernel> {
  const { release } = linux().uname();
  const path = kernelImage(name, { directory: settings.kernels || undefined, release, preferRunning });
  const image = await guestKernel(path);
  refuseOtherArchitecture(image, programs);
  return image;
}

/** The image that runs first, which must boot. @throws as `chosenImage` */
export async function firstImage(
  context: Context,
  name: string | undefined,
  choice: Choice = {},
): Promise<GuestKernel> {
  const image = await chosenImage(context, name, choice);
  if (image.problem === undefined) return image;
  throw new Failure("unavailable", `Cannot rehearse on "${image.path}": ${image.problem.reason}`, {
    operation: "rehearse",
    subject: image.path,
  });
}

const NAMES: Readonly<Record<Architecture, string>> = { aarch64: "arm64", x86_64: "x86-64" };

/** The guest runs luo, busybox and programs of one architecture: those of this host, or those below `--root`. */
function refuseOtherArchitecture({ path, architecture }: GuestKernel, programs: Architecture): void {
  if (architecture === programs) return;
  const [kernel, others] = [NAMES[architecture], NAMES[programs]];
  throw new Failure(
    "unavailable",
    `Cannot rehearse on "${path}": it is a kernel for ${kernel}, and the guest's programs are for ${others}`,
    {
      operation: "rehearse",
      subject: path,
      hints: [
        `the guest runs luo and other programs: rehearse on a host of ${kernel}, or give programs for it: --root DIR`,
        `what the image says of itself can be read here: luo kexec check ${operand(path)}`,
      ],
    },
  );
}

const NEEDED =
  "it needs 9p over virtio (CONFIG_9P_FS, CONFIG_NET_9P_VIRTIO), overlayfs (CONFIG_OVERLAY_FS), " +
  "virtio over PCI and a serial console, built in or as modules in /lib/modules";

type Why = { readonly why: string; readonly hint: string };

/** Why a machine did not come to the end of its work. */
const ENDS: Readonly<Record<ProgramResult["end"], Why>> = {
  hang: {
    why: "the kernel did not start its init within two minutes",
    hint: "its console shows how far it came:",
  },
  timeout: { why: "the time limit is over", hint: "give it more: --timeout SECONDS" },
  reset: {
    why: "the machine was switched off or reset before the program ended",
    hint: "the program may have done so, or a kernel without a word on the console",
  },
  panic: { why: "the kernel panicked", hint: "its console says why:" },
  exit: { why: "the program left no exit code", hint: "the end of the console:" },
  no_shares: { why: "the kernel cannot see the host's files", hint: NEEDED },
  no_overlay: { why: "the kernel cannot see the host's files", hint: NEEDED },
  no_start: { why: "QEMU did not start", hint: "QEMU said:" },
};

/** The failure of a machine that did not come to its end, with the end of its console. */
export function machineFailure(kernel: string, result: ProgramResult): Failure {
  const { why, hint } = ENDS[result.end];
  const boot = result.boot > 0 ? ` in boot ${result.boot + Number(result.kexec_began)}` : "";
  const tail = result.end === "no_start" ? result.errors.split("\n") : lastWords(result.lines);
  return new Failure("unavailable", `Cannot rehearse on "${kernel}"${boot}: ${why}`, {
    operation: "rehearse",
    subject: kernel,
    hints: [hint, ...tail.map((line) => `| ${line}`)],
  });
}
