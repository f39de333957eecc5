/** The requests about live updates: the state, and the steps that the coordinator takes while other calls are answered. */
import { close } from "../../ffi/file.ts";
import { LuoError } from "../error.ts";
import type { AgentState } from "./agent_state.ts";
import { loadForUpdate } from "./image_methods.ts";
import type { Methods } from "./protocol.ts";
import { refused } from "./refusal.ts";
import { agentError, kernelError, takeFd } from "./request_checks.ts";
import { type Coordinator, NotFinished, WrongState } from "./update/coordinator.ts";
import { updateOf } from "./update_history.ts";
import type { UpdateOptions } from "./update/before_kexec.ts";
import { StepFailed } from "./update/step_failed.ts";

type StepRequest = Methods["StepUpdate"]["request"];
type UpdateReply = Methods["GetUpdate"]["reply"];

/** The state of the update, and its record. */
export function getUpdate(coordinator: Coordinator): UpdateReply {
  const { state, record } = coordinator;
  return record === undefined ? { state } : { state, update: record };
}

/** As `getUpdate`, with the record of an older update. @throws VarlinkError NoSuchUpdate */
export function getOldUpdate(state: AgentState, coordinator: Coordinator, id: string): UpdateReply {
  return { state: coordinator.state, update: updateOf(state, coordinator.record, id) };
}

/** Takes the step to its end. @throws VarlinkError, LuoError, ProcessKilled */
export async function stepUpdate(
  state: AgentState,
  coordinator: Coordinator,
  request: StepRequest,
  sent: number[],
  gone: AbortSignal,
): Promise<UpdateReply> {
  using image = new SentImage(state, request, sent);
  const { step, force = false, digest = false, blackoutSeconds } = request;
  if (blackoutSeconds !== undefined && blackoutSeconds < 1) {
    throw agentError("BadRequest", { message: `a blackout is 1 second or more, not ${blackoutSeconds}` });
  }
  // The sessions are known when the device is open.
  state.device.ready();
  const options: UpdateOptions = {
    load: image.load,
    digest,
    blackoutSeconds,
    force,
    finishes: step === "run" || request.finishes === true,
  };
  try {
    if (step === "prepare") await coordinator.prepare(options, gone);
    else if (step === "freeze") await coordinator.freeze(options, gone);
    else if (step === "run") await coordinator.run(options, gone);
    else if (step === "cancel") await coordinator.cancel();
    else await coordinator.finish(force);
  } catch (error) {
    throw answerable(error, step, coordinator);
  }
  return getUpdate(coordinator);
}

function answerable(error: unknown, step: string, { state }: Coordinator): unknown {
  if (error instanceof WrongState) {
    const message = `Cannot ${step} the update: ${error.message}`;
    return agentError("WrongUpdateState", { step, state: error.state, message });
  }
  if (error instanceof NotFinished) {
    return refused(
      "finish",
      "the update",
      error.reasons.map(({ session, reason }) => ({ code: "participant_not_back", session, reason })),
    );
  }
  if (error instanceof StepFailed) {
    const { event, outcome, participant, reason, message } = error;
    return agentError("UpdateFailed", {
      step,
      event,
      outcome,
      ...(participant === undefined ? {} : { participant }),
      reason,
      state,
      message: `Cannot ${step} the update: ${message}`,
    });
  }
  return error instanceof LuoError ? kernelError(error) : error;
}

/** The image that came with a request, loaded at most once. */
class SentImage implements Disposable {
  /** Undefined: none came. */
  readonly load: (() => Promise<void>) | undefined;
  readonly #fds: number[] = [];

  constructor(state: AgentState, request: StepRequest, sent: number[]) {
    const { kernelFd, initrdFd } = request;
    if (kernelFd === undefined) return;
    this.#fds.push(takeFd(sent, kernelFd, "kernelFd"));
    if (initrdFd !== undefined) this.#fds.push(takeFd(sent, initrdFd, "initrdFd"));
    const {
      kernel = "the next kernel",
      initrd,
      commandLine,
      reuseCommandLine,
      append,
      imageCommandLine,
      force,
    } = request;
    const wish = { kernel, initrd, commandLine, reuseCommandLine, append, imageCommandLine, force };
    const indexes = { kernelFd: 0, initrdFd: initrdFd === undefined ? undefined : 1 };
    this.load = async () => {
      await loadForUpdate(state, { ...wish, ...indexes }, this.#fds);
    };
  }

  [Symbol.dispose](): void {
    for (const fd of this.#fds.splice(0)) if (fd >= 0) close(fd);
  }
}
