/** Changes that the journal records, for the tests of its two places. */
import type { SessionInfo } from "../../lib/agent/protocol.ts";
import { closeSession } from "../../lib/agent/session_end.ts";
import { createSession } from "../../lib/agent/session_methods.ts";
import type { Step } from "./moments.ts";
import { preserve } from "./state_on_model.ts";

/** Changes of an agent's state that the journal records. */
export const STEPS: readonly Step[] = [
  ["create a", (state) => createSession(state, { name: "a" })],
  ["preserve a 1", (state) => preserve(state, "a", "1")],
  ["create b", (state) => createSession(state, { name: "b" })],
  ["save all", (state) => state.save()],
  ["preserve b 2", (state) => preserve(state, "b", "2")],
  ["close a", (state) => closeSession(state, { name: "a", force: true })],
  ["save all again", (state) => state.save()],
  ["create a again", (state) => createSession(state, { name: "a" })],
  ["create long", (state) => createSession(state, { name: "l".repeat(60) })],
  ["close long", (state) => closeSession(state, { name: "l".repeat(60) })],
];

/** The sessions and files of a journal, as lines in their order. */
export const content = (sessions: readonly SessionInfo[]) =>
  sessions.map(({ name, state, files }) =>
    `${name} ${state} ${files.map((file) => `${file.token} ${file.state}`)}`
  ).sort();

export function inDirectory(use: (directory: string) => void): void {
  const directory = Deno.makeTempDirSync({ prefix: "luo-log-" });
  try {
    use(directory);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}
