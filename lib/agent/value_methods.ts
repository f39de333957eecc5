/** The requests about the values of `luo put`. */
import type { AgentState } from "./agent_state.ts";
import type { Methods } from "./protocol.ts";
import { agentError } from "./request_checks.ts";
import { keyProblem, VALUE_MAX, VALUES_MAX } from "./value_limits.ts";
import type { Value } from "./value_store.ts";

export function putValue(
  state: AgentState,
  { key, base64 }: Methods["PutValue"]["request"],
): Methods["PutValue"]["reply"] {
  checkKey(key);
  const bytes = fromBase64(base64);
  const limit = (message: string) => agentError("BadRequest", { message });
  if (bytes.length > VALUE_MAX) throw limit(`a value has at most ${VALUE_MAX} bytes, not ${bytes.length}`);
  // Without the device a value would not survive the kexec.
  state.device.ready();
  const { values } = state;
  if (!values.hasRoom(key, bytes)) {
    throw limit(`all keys and values together have at most ${VALUES_MAX} bytes`);
  }
  const value = { bytes, at: state.options.now() };
  if (values.begun) values.put(key, value);
  else {
    // The first value makes the session, and from then on the journal says that there is one.
    state.device.use(() => values.put(key, value));
    state.saveOrLog();
  }
  return { value: described(key, value) };
}

function fromBase64(text: string): Uint8Array {
  try {
    return Uint8Array.fromBase64(text);
  } catch {
    throw agentError("BadRequest", { message: "a value is base64" });
  }
}

function checkKey(key: string): void {
  const problem = keyProblem(key);
  if (problem !== undefined) throw agentError("BadRequest", { message: problem });
}

export function getValue(
  state: AgentState,
  { key }: Methods["GetValue"]["request"],
): Methods["GetValue"]["reply"] {
  checkKey(key);
  state.device.ready();
  const value = state.values.get(key);
  if (value === undefined) throw agentError("NoSuchKey", { key });
  return { value: described(key, value), base64: value.bytes.toBase64() };
}

export function dropValue(
  state: AgentState,
  { key }: Methods["DropValue"]["request"],
): Methods["DropValue"]["reply"] {
  checkKey(key);
  state.device.ready();
  const value = state.values.drop(key);
  if (value === undefined) throw agentError("NoSuchKey", { key });
  return { value: described(key, value) };
}

export function listValues(
  state: AgentState,
  { prefix = "", limit = Infinity, after }: Methods["ListValues"]["request"],
): Methods["ListValues"]["reply"] {
  state.device.ready();
  if (limit < 1) throw agentError("BadRequest", { message: `a limit is 1 or more, not ${limit}` });
  const all = state.values.entries()
    .filter(([key]) => key.startsWith(prefix) && (after === undefined || key > after));
  const values = all.slice(0, limit).map(([key, value]) => described(key, value));
  const last = values.at(-1)?.key;
  return values.length === all.length || last === undefined ? { values } : { values, next: last };
}

function described(key: string, { bytes, at }: Value) {
  return { key, size: bytes.length, at };
}
