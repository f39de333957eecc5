/** A client of luo-agent as a participant of an update: its session's fd goes to it, and it preserves and restores by itself. */
import { close } from "../../ffi/file.ts";
import { LuoError } from "../error.ts";
import type { AgentState } from "./agent_state.ts";
import type { FileInfo } from "./protocol.ts";
import { isFinished, usedTokens } from "./seen_tokens.ts";
import { finishSession } from "./session_end.ts";
import { retrieveSession } from "./session_methods.ts";
import { VarlinkError } from "./varlink.ts";

/**
 * How often the agent asks whether a client has finished its session. The kernel has no event for that: a session's fd cannot be
 * polled, and the client keeps it open. The agent asks until the client has finished, or its connection has ended.
 */
const ASK_MS = 50;

/**
 * Sends a copy of the session's fd. From now on the client can preserve files that the agent does not see.
 *
 * @throws LuoError `preserve`: a session of the model cannot be sent to a process of the host (ENXIO, ENOSYS)
 */
export function giveOutgoing(state: AgentState, name: string, send: (fd: number) => void): void {
  const held = state.outgoing.get(name);
  if (held?.session === undefined) throw new TypeError(`there is no outgoing session "${name}"`);
  const fd = exposed(state, held.session.fd.number, "preserve", name);
  try {
    held.info.filesKnown = false;
    state.save({ list: "outgoing", name });
    send(fd);
  } finally {
    close(fd);
  }
}

/** A copy of the session's fd for another process. @throws LuoError */
function exposed(state: AgentState, fd: number, operation: "preserve" | "retrieve", name: string): number {
  const copy = state.sys.expose(fd);
  if (copy >= 0) return copy;
  const subject = `session "${name}"`;
  const what =
    `Cannot ${operation} ${subject}: this kernel cannot send its fd to a process of the host (on the model: ` +
    "run agent and client under luo emulate)";
  throw new LuoError(operation, subject, -copy, what);
}

/** The client says that it has preserved its files: lists those that the kernel tells of. */
export function noteFiles(state: AgentState, name: string): void {
  const held = state.outgoing.get(name);
  if (held?.session === undefined) return;
  const known = new Set(held.info.files.map(({ token }) => token));
  for (const token of usedTokens(held.session)) {
    const file: FileInfo = { token: String(token), size: 0, seals: 0, state: "preserved" };
    if (!known.has(file.token)) held.info.files.push(file);
  }
  state.save({ list: "outgoing", name });
}

/** Sends a copy of the session's fd to the client that claims it. The agent keeps its own: a client that dies can claim it again. */
export function giveIncoming(state: AgentState, name: string, send: (fd: number) => void): void {
  if (state.incoming.get(name)?.info.state !== "retrieved") retrieveSession(state, { name });
  const session = state.incoming.get(name)?.session;
  if (session === undefined) throw new TypeError(`session "${name}" is not retrieved`);
  const fd = exposed(state, session.fd.number, "retrieve", name);
  try {
    send(fd);
  } finally {
    close(fd);
  }
}

/**
 * Waits until the client has finished the session, and lets go of it. False: `gone` came first. Without a known token it cannot be
 * seen, and true is answered: the session stays in the list.
 */
export async function untilFinished(state: AgentState, name: string, gone: AbortSignal): Promise<boolean> {
  for (;;) {
    const held = state.incoming.get(name);
    const [file] = held?.info.files ?? [];
    if (held?.session === undefined || file === undefined) return true;
    if (isFinished(held.session, BigInt(file.token))) {
      finishSession(state, { name, force: true });
      return true;
    }
    if (gone.aborted) return false;
    await new Promise((resolve) => setTimeout(resolve, ASK_MS));
  }
}

/** Why something could not be done, in words for the client. */
export function reasonOf(error: unknown): string {
  if (error instanceof LuoError) return error.summary;
  if (error instanceof VarlinkError) {
    return String(error.parameters.message ?? error.parameters.reasons ?? error.error);
  }
  return error instanceof Error ? error.message : String(error);
}
