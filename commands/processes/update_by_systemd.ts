/** A whole update where systemd makes the kexec: luo prepares and freezes, and systemd stops what is left in order. */
import type { CommonFlags } from "../arguments/command.ts";
import type { UpdateRequest } from "../arguments/update_flags.ts";
import type { Context } from "../base/context.ts";
import { call } from "./agent_calls.ts";
import { AgentError } from "../../lib/agent/client_errors.ts";
import { Failure } from "../errors/failure.ts";
import { askForKexec, systemdCarries, untilKexec } from "./kexec_by_systemd.ts";
import { withImage } from "./update_image.ts";
import { takeStep, type UpdateReply } from "./update_steps.ts";

/** What systemd does in an update. */
export interface Systemd {
  /** Whether it is the one to ask for the kexec. */
  readonly carries: (context: Context, flags: CommonFlags) => boolean;
  /** @throws as `askForKexec` */
  readonly ask: (context: Context, flags: CommonFlags, force: boolean) => void;
  readonly untilKexec: () => Promise<void>;
}

/** The command that the user has given. */
const AGAIN = "luo update run";

const SYSTEMD: Systemd = { carries: systemdCarries, ask: askForKexec, untilKexec };

/**
 * Returns when systemd is not the one to ask for the kexec (see `systemdCarries`). Otherwise this process ends with its kernel, or
 * the update is cancelled.
 *
 * @throws Failure, AgentError
 */
export async function updateBySystemd(
  context: Context,
  request: UpdateRequest,
  flags: CommonFlags,
  show: (reply: UpdateReply) => void,
  systemd: Systemd = SYSTEMD,
): Promise<void> {
  if (!systemd.carries(context, flags)) return;
  const { state } = call(context, flags, "GetUpdate", {});
  const { blackoutSeconds, force } = request;
  if (state === "normal" || request.image !== undefined) {
    await withImage("prepare", request, (step, fds) => takeStep(context, flags, step, fds, show, AGAIN));
  }
  if (state !== "frozen") {
    await takeStep(
      context,
      flags,
      { step: "freeze", blackoutSeconds, force, finishes: true },
      [],
      show,
      AGAIN,
    );
  }
  try {
    systemd.ask(context, flags, force);
  } catch (error) {
    // Workloads do not stand still for a kexec that does not come. When it may still come, a cancel would lose what they preserved.
    const refused = error instanceof Failure || error instanceof AgentError;
    if (refused) await takeStep(context, flags, { step: "cancel" }, [], show);
    throw error;
  }
  await systemd.untilKexec();
}
