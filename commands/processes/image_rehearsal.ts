/** `luo rehearse IMAGE`: from what the agent holds to the verdict; and the guest's part of it. */
import { read_text } from "../../ffi/proc.ts";
import { inheritedEnvironment } from "../../lib/files/inherited_environment.ts";
import { openInitrdFile } from "../../lib/files/kernel_file.ts";
import { linux } from "../../lib/linux/system_calls.ts";
import type { Rehearsal } from "../../lib/schema/answer_types.ts";
import { rehearseImage } from "../../lib/rehearse/image_rehearsal.ts";
import { afterKexec, beforeKexec, type GuestOrder, type GuestReport } from "../../lib/rehearse/in_guest.ts";
import { foreignRoot, type GuestPrograms } from "../../lib/rehearse/foreign_root.ts";
import { guestKernel } from "../../lib/rehearse/guest_kernel.ts";
import { kernelImage } from "../../lib/rehearse/kernel_image.ts";
import { planLike, type PlannedSession } from "../../lib/rehearse/plan.ts";
import type { CommonFlags } from "../arguments/command.ts";
import type { Context } from "../base/context.ts";
import { EXIT } from "../base/exit_codes.ts";
import { Failure } from "../errors/failure.ts";
import { callRunning } from "./agent_calls.ts";
import { interruptible } from "./interrupt.ts";
import { selfCommand } from "./own_command.ts";
import { chosenImage, firstImage } from "./rehearsal.ts";

export interface ImageRequest {
  readonly image: string;
  readonly from?: string;
  /** A directory with the programs of the guest. */
  readonly root?: string;
  readonly initrds: readonly string[];
  readonly append?: string;
  readonly memory_mib: number;
  readonly timeout_ms?: number;
}

/** A rehearsal takes half a minute on an idle host. A kernel that hangs is noticed after two minutes. */
const TIMEOUT_MS = 600_000;

/** Rehearses with sessions like those that the agent holds. */
export async function runImage(
  context: Context,
  request: ImageRequest,
  flags: CommonFlags,
): Promise<Rehearsal> {
  const { memory_mib, timeout_ms = TIMEOUT_MS } = request;
  const programs = await programsFor(context, request);
  const choice = { preferRunning: true, programs: programs?.architecture };
  const image = await chosenImage(context, request.image, choice);
  const from = await firstImage(context, request.from, choice);
  checkInitrds(request.initrds, memory_mib);
  const plan = planLike(sessionsHeld(context, flags), memory_mib);
  return await interruptible((signal) =>
    rehearseImage({
      ...request,
      image,
      from,
      plan,
      timeout_ms,
      programs,
      luo: programs === undefined ? selfCommand(context) : [programs.luo],
      env: [...inheritedEnvironment(), "DENO_NO_UPDATE_CHECK=1"],
      signal,
    })
  );
}

/** The programs below `--root`, which are of the architecture of the image. Undefined: this host's. */
async function programsFor(
  context: Context,
  { image, root }: ImageRequest,
): Promise<GuestPrograms | undefined> {
  if (root === undefined) return undefined;
  const places = { directory: context.settings.kernels || undefined, release: "" };
  const { architecture } = await guestKernel(kernelImage(image, places));
  return foreignRoot(root, architecture);
}

/** The next kernel unpacks them in the machine's memory, and luo reads them whole. @throws LuoError; Failure `usage` */
function checkInitrds(paths: readonly string[], memory_mib: number): void {
  let bytes = 0;
  for (const path of paths) {
    using file = openInitrdFile(path);
    bytes += file.size;
  }
  if (bytes <= memory_mib * 2 ** 20 / 2) return;
  throw new Failure(
    "usage",
    `Cannot rehearse with initramfs of ${bytes} bytes in ${memory_mib} MiB of memory`,
    {
      hints: ["give the machine more: --memory MIB"],
    },
  );
}

/** The outgoing sessions; none when no agent runs. */
function sessionsHeld(context: Context, flags: CommonFlags): readonly PlannedSession[] {
  try {
    const { status } = callRunning(context, flags, "GetStatus", {});
    return status.sessions.filter(({ state }) => state === "outgoing");
  } catch (error) {
    if (error instanceof Failure && error.kind === "unavailable") return [];
    throw error;
  }
}

/** Does the guest's part in this boot, by the order that the host wrote into the file. @returns the exit code */
export function runInGuest(context: Context, path: string): number {
  const text = read_text(path);
  if (text === undefined) throw new Failure("usage", `Cannot read "${path}": it is luo that writes it`);
  const order: GuestOrder = JSON.parse(text);
  const report = (line: GuestReport) => context.process.stdout.write(`${JSON.stringify(line)}\n`);
  if (inheritedEnvironment().includes("LUO_BOOT=1")) {
    beforeKexec(linux(), order, report);
    return EXIT.failed;
  }
  report(afterKexec(linux(), order));
  return EXIT.done;
}
