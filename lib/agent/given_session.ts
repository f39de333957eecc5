/** The request that gives out the session itself: for files that only their own process can preserve, such as a VM of KVM. */
import { close } from "../../ffi/file.ts";
import { check } from "../error.ts";
import type { IncomingSession, OutgoingSession } from "../session.ts";
import type { AgentState } from "./agent_state.ts";
import type { Methods, SessionInfo } from "./protocol.ts";
import { type Open, outgoingSession, retrievedSession, wrongState } from "./session_lookup.ts";
import { saveOr } from "./save_or.ts";

/** A session that is given out: the answer, and the descriptor to send. */
interface Opened {
  readonly reply: Methods["OpenSession"]["reply"];
  readonly fds: readonly number[];
}

/**
 * A copy of the session's descriptor. A process that has it can preserve, restore and finish without the agent, and the session lives
 * as long as that process has it.
 * So from here on the agent does not know the files of an outgoing session. It records that before it gives the descriptor away.
 *
 * @throws LuoError `share`: EOPNOTSUPP on the model, whose sessions cannot be passed to a process of the host
 */
export function openSession(state: AgentState, { name }: Methods["OpenSession"]["request"]): Opened {
  const { info, session } = held(state, name);
  if (info.keep) {
    const message =
      "it is kept: the agent could not preserve again after the next kexec what another program preserves in it";
    throw wrongState(info, "open", message);
  }
  const host_fd = check(state.sys.expose(session.fd.number), "share", `session "${name}"`);
  const { opened, filesKnown } = info;
  info.opened = true;
  if (info.state === "outgoing") info.filesKnown = false;
  const list = info.state === "outgoing" ? "outgoing" : "incoming";
  try {
    saveOr(state, { list, name }, () => restoreFields(info, { opened, filesKnown }));
  } catch (error) {
    close(host_fd);
    throw error;
  }
  return { reply: { session: info, sessionFd: 0 }, fds: [host_fd] };
}

function held(state: AgentState, name: string): Open<OutgoingSession | IncomingSession> {
  const ofThisKernel = state.outgoing.has(name) && !state.incoming.has(name);
  return ofThisKernel ? outgoingSession(state, name, "open") : retrievedSession(state, name, "open");
}

function restoreFields(info: SessionInfo, before: Pick<SessionInfo, "opened" | "filesKnown">): void {
  if (before.opened === undefined) delete info.opened;
  if (before.filesKnown === undefined) delete info.filesKnown;
}
