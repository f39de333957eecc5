/** `luo update run`: the whole update, or none of it. */
import { buildCommand } from "./base/build_command.ts";
import { type CommonFlags, commonFlags, docs, immediateFlag, perform } from "./arguments/command.ts";
import {
  optionalKernel,
  parseUpdate,
  type UpdateFlags,
  updateFlags,
  type UpdateRequest,
} from "./arguments/update_flags.ts";
import type { Context } from "./base/context.ts";
import { Failure } from "./errors/failure.ts";
import { eventLines, updateText } from "./output/update_text.ts";
import { withImage } from "./processes/update_image.ts";
import { runToNextKernel, type UpdateReply } from "./processes/update_steps.ts";
import { backendOf } from "./arguments/agent_target.ts";

export interface Flags extends UpdateFlags {
  readonly immediate: boolean;
}

interface RunRequest extends UpdateRequest {
  /** Past the service manager. */
  readonly immediate: boolean;
}

export async function run(
  context: Context,
  { immediate, ...request }: RunRequest,
  flags: CommonFlags,
): Promise<UpdateReply> {
  const show = eventLines(context);
  if (!immediate && backendOf(flags, context.settings) === "linux") {
    const { updateBySystemd } = await import("./processes/update_by_systemd.ts");
    await updateBySystemd(context, request, flags, show);
  }
  const reply = await withImage(
    "run",
    request,
    (step, fds) => runToNextKernel(context, flags, step, fds, show),
  );
  if (reply.update?.outcome !== "done") throw unfinished(reply);
  return reply;
}

/** Happens on the model only: on Linux this process ends with its kernel. */
function unfinished({ state, update }: UpdateReply): Failure {
  const { by, reason = "it is not known why", outcome } = update ?? {};
  const who = by === undefined ? reason : `participant "${by}": ${reason}`;
  const where = state === "updated"
    ? "the next kernel runs, and the update is not finished"
    : outcome ?? "unknown";
  return new Failure("update-failed", `Cannot say that the update worked: ${where}`, {
    operation: "run",
    subject: "the update",
    reasons: [who],
    hints: state === "updated"
      ? ["the participant's session is kept: repair it, then luo update finish"]
      : ["see luo update state and luo status"],
  });
}

export const command = buildCommand<Flags, [string?], Context>({
  docs: docs(
    "Move the machine with all workloads to the next kernel, or leave it as it was",
    "Checks and loads the image, calls every participant with prepare and freeze, and executes\n" +
      "the kernel. In the next kernel the agent calls updated and finish by itself. When a participant\n" +
      "fails, is late, dies or says no before that, all are told to cancel, and the machine is as\n" +
      "before: exit code 4 for a no, 1 for a failure. The update goes on from where luo update prepare\n" +
      "or freeze left it. Where systemd 261 or later has the sessions in its fd store, luo asks it for\n" +
      "the kexec, and systemd stops all services first; --immediate does not.",
    [
      ["luo update run /boot/vmlinuz --initrd /boot/initrd.img --reuse-cmdline", "the live update of a host"],
      ["luo update run --blackout 5", "with the loaded kernel, and workloads still for 5 seconds at most"],
    ],
  ),
  parameters: {
    flags: {
      ...updateFlags,
      immediate: immediateFlag,
      ...commonFlags,
    },
    positional: optionalKernel,
  },
  func(flags, kernel) {
    const parse = () => ({ ...parseUpdate(flags, kernel), immediate: flags.immediate });
    return perform(this, flags, { parse, run, format: updateText });
  },
});
