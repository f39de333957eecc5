/** What the journal says about the agent's state: all of it, or the one session that has changed. */
import type { IncomingSession, OutgoingSession } from "../session.ts";
import type { AgentState, Held, SessionKey } from "./agent_state.ts";
import { type Change, encodeChange, encodeJournal } from "./journal.ts";
import type { JournalSource } from "./journal_writer.ts";
import type { SessionInfo } from "./protocol.ts";

/** @param only the one session that has changed, is new or is gone since the journal was written last */
export function journalSource(state: AgentState, only?: SessionKey): JournalSource {
  let encoded: Uint8Array | undefined;
  return {
    change: only && encodeChange(change(state, only)),
    whole: () => encoded ??= journal(state),
  };
}

function change(state: AgentState, { list, name }: SessionKey): Change {
  const held = state[list].get(name);
  if (held === undefined) return { gone: { name, outgoing: list === "outgoing" } };
  return { session: recorded(state, held) };
}

/** An incoming session that only the agent has ends with the agent: the next one must ask the kernel for it. */
function recorded(
  { store }: AgentState,
  { info, session }: Held<OutgoingSession | IncomingSession>,
): SessionInfo {
  const ends = info.state === "incoming" && session !== undefined && !store.holds(session);
  return ends ? { ...info, state: "retrieved" } : info;
}

function journal(state: AgentState): Uint8Array {
  return encodeJournal({
    version: 1,
    bootId: state.bootId,
    release: state.release,
    pid: state.options.pid,
    updates: state.updates,
    sessions: state.held().map((held) => recorded(state, held)),
    image: state.image,
    lastUpdate: state.lastUpdate,
    ...(state.unlisted === undefined ? {} : { unlisted: state.unlisted }),
    ...(state.values.begun ? { values: true } : {}),
    losses: state.losses,
    ...(state.ending === undefined ? {} : { ending: state.ending }),
    ...(state.store.usage === undefined ? {} : { stored: true }),
    ended: state.ended,
  });
}
