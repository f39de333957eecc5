/** The history of live updates: the records of those that are over, kept over kexecs among the agent's own values. */
import { LuoError } from "../error.ts";
import { summary } from "../report/timeline.ts";
import type { AgentState } from "./agent_state.ts";
import type { Methods, UpdateRecord } from "./protocol.ts";
import { agentError } from "./request_checks.ts";
import { decodeUpdate, encodeUpdate } from "./update_record.ts";

const PREFIX = "update/";
/** The oldest updates go first when there are more, or when their records have more bytes. */
const UPDATES_MAX = 50;
const BYTES_MAX = 4 << 20;

/** Keeps the record of an update that is over. A history that cannot be written stops nothing. */
export function keepInHistory(state: AgentState, record: UpdateRecord): void {
  if (record.outcome === undefined) return;
  const { values } = state;
  const bytes = encodeUpdate(record);
  const name = PREFIX + record.id;
  const before = values.own(name)[0]?.[1].bytes;
  if (before !== undefined && String(before) === String(bytes)) return;
  try {
    values.putOwn(name, { bytes, at: record.events[0]?.started.at ?? state.options.now() });
    for (const old of tooMany(state)) values.dropOwn(old);
  } catch (error) {
    if (!(error instanceof LuoError)) throw error;
    state.options.log(`${error.message}: the history of updates lacks update ${record.id}`);
  }
}

function tooMany(state: AgentState): string[] {
  let bytes = 0;
  return stored(state).toReversed().filter(([, value], at) => {
    bytes += value.bytes.length;
    return at > 0 && (at >= UPDATES_MAX || bytes > BYTES_MAX);
  }).map(([name]) => name);
}

/** The oldest first. */
function stored(state: AgentState) {
  return state.values.own(PREFIX).sort(([, one], [, other]) => one.at < other.at ? -1 : 1);
}

export function listUpdates(
  state: AgentState,
  current: UpdateRecord | undefined,
): Methods["ListUpdates"]["reply"] {
  const updates = stored(state).flatMap(([, { bytes }]) => decodeUpdate(bytes) ?? []);
  const all = current === undefined || updates.some(({ id }) => id === current.id)
    ? updates
    : [...updates, current];
  return { updates: all.map(summary) };
}

/** The update whose id begins so. @throws VarlinkError NoSuchUpdate */
export function updateOf(state: AgentState, current: UpdateRecord | undefined, id: string): UpdateRecord {
  if (current?.id.startsWith(id)) return current;
  const known = stored(state).map(([name]) => name.slice(PREFIX.length));
  const [, value] = stored(state).find(([name]) => name.startsWith(PREFIX + id)) ?? [];
  const record = value && decodeUpdate(value.bytes);
  if (record === undefined) throw agentError("NoSuchUpdate", { update: id, known });
  return record;
}
