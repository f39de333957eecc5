/** Calls of every method of `io.luo.Agent`, with parameters that mostly fit. */
import type { Random } from "../traffic/random.ts";

/** Names of sessions. Those of the keeper begin with "keep", and are never ended by force. */
export const NAMES = [
  "a",
  "b",
  "c",
  "wild-1",
  "wild-2",
  "p1",
  "luod-1",
  "luod-2",
  "",
  "é",
  "x".repeat(63),
  "y".repeat(64),
  "a/b",
  "luo-agent",
];
const TOKENS = ["0", "1", "2", "3", "0x10", "18446744073709551615", "18446744073709551616", "-1", "x", ""];
const KEYS = ["wild/a", "wild/b", "wild/" + "k".repeat(250), "wild/é", "", "wild/\u0000"];

export type Parameters = Readonly<Record<string, unknown>>;

export function someCall(random: Random): { method: string; parameters: Parameters } {
  const name = random.pick(NAMES);
  const [session, token, key] = [name, random.pick(TOKENS), random.pick(KEYS)];
  const force = random.chance(50);
  const calls: Readonly<Record<string, Parameters>> = {
    Identify: {},
    GetStatus: {},
    CreateSession: { name, keep: random.chance(20) },
    ListSessions: random.pick([{}, { name }, { limit: random.below(5) }, { after: name, limit: 2 }]),
    RetrieveSession: { name, force },
    FinishSession: { name, force },
    CloseSession: { name, force },
    KeepSession: { name, keep: random.chance(50), force },
    OpenSession: { name },
    PreserveFile: { session, token, fileFd: random.below(3), force },
    RestoreFile: { session, token, mark: random.chance(50), path: random.chance(20) },
    MarkFile: { session, token, restored: random.chance(70) },
    PutValue: { key, base64: random.bytes(random.below(2000)).toBase64() },
    GetValue: { key },
    ListValues: random.pick([{}, { prefix: "wild" }, { limit: 1 }, { after: key }]),
    DropValue: { key },
    ShowImage: {},
    UnloadImage: {},
    LoadImage: { kernelFd: random.below(2), kernel: "k", commandLine: "liveupdate=on", force },
    GetUpdate: random.pick([{}, { id: "0" }]),
    ListUpdates: {},
    StepUpdate: { step: random.pick(["prepare", "freeze", "cancel", "finish"]), force },
    Participate: {
      name: random.pick(["v1", "v2", ...NAMES]),
      seconds: { prepare: 2, freeze: 1, cancel: 1, updated: 1, finish: 1 },
    },
    AnswerEvent: {
      update: "u",
      event: "prepare",
      participant: "v1",
      answer: random.pick(["ready", "veto", "later"]),
    },
    Stop: {},
    // Without force the keeper's data stay. The space, which is taken away, makes the key another one.
    "CloseSession ": { name: "keep" },
  };
  const method = random.pick(Object.keys(calls));
  const parameters = calls[method] ?? {};
  return { method: method.trim(), parameters: random.chance(15) ? spoilt(random, parameters) : parameters };
}

function spoilt(random: Random, parameters: Parameters): Parameters {
  const wrong: readonly unknown[] = [null, 5, -1, 1e300, "", [], {}, true, "\ud800", "x".repeat(5000)];
  const key = random.pick([...Object.keys(parameters), "unknown", "__proto__", "force"]);
  // What the keeper's data do not survive is never forced.
  return key === "force" || key === "name" || key === "session"
    ? parameters
    : { ...parameters, [key]: random.pick(wrong) };
}
