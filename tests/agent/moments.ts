/** Strikes an agent before and after every single system call that it makes: a kill, or the kexec of another process. */
import assert from "node:assert/strict";
import type { AgentState } from "../../lib/agent/agent_state.ts";
import { closeSession, finishSession } from "../../lib/agent/session_end.ts";
import { createSession, retrieveSession } from "../../lib/agent/session_methods.ts";
import { ProcessKilled, type SystemCalls } from "../../lib/system_calls.ts";
import { preserve, restore } from "./state_on_model.ts";

/** A process to which `strike` happens at one moment: moment 2n is before system call n, moment 2n + 1 right after it. */
export function mortal(sys: SystemCalls, moment: number, strike: () => void): SystemCalls {
  return mortalWith(sys, momentOf(moment, strike));
}

/** To be called at each moment: it strikes at one of them. */
export function momentOf(moment: number, strike: () => void): () => void {
  let now = 0;
  return () => {
    if (now++ !== moment) return;
    strike();
    throw new ProcessKilled("struck");
  };
}

/** A process that calls `pass` before and after each system call. */
export function mortalWith(sys: SystemCalls, pass: () => void): SystemCalls {
  return new Proxy(sys, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      return (...args: unknown[]): unknown => {
        pass();
        const answer: unknown = Reflect.apply(value, target, args);
        pass();
        return answer;
      };
    },
  });
}

export type Step = readonly [what: string, run: (state: AgentState) => void];

/** What a life of an agent is, up to the kexec. */
export const BEFORE: readonly Step[] = [
  ["create a", (state) => createSession(state, { name: "a" })],
  ["preserve a 1", (state) => preserve(state, "a", "1")],
  ["create b", (state) => createSession(state, { name: "b" })],
  ["preserve b 2", (state) => preserve(state, "b", "2")],
  ["preserve a 3", (state) => preserve(state, "a", "3")],
  ["close b", (state) => closeSession(state, { name: "b", force: true })],
  ["create c", (state) => createSession(state, { name: "c" })],
];

/** What clients do after it. */
export const AFTER: readonly Step[] = [
  ["retrieve a", (state) => retrieveSession(state, { name: "a" })],
  ["restore a 1", (state) => restore(state, "a", "1")],
  ["retrieve c", (state) => retrieveSession(state, { name: "c" })],
  ["restore a 3", (state) => restore(state, "a", "3")],
  ["finish a", (state) => finishSession(state, { name: "a" })],
  ["create d", (state) => createSession(state, { name: "d" })],
];

/** Runs the steps until they are done or the process is dead. Returns the steps that were answered, and the step that was struck. */
export function play(
  start: () => AgentState,
  steps: readonly Step[],
): { done: string[]; struck: string | undefined } {
  const done: string[] = [];
  let state: AgentState | undefined;
  let next = "start";
  try {
    state = start();
    for (const [what, run] of steps) {
      next = what;
      run(state);
      done.push(what);
    }
    return { done, struck: undefined };
  } catch (error) {
    if (!(error instanceof ProcessKilled)) throw error;
    return { done, struck: next };
  } finally {
    state?.[Symbol.dispose]();
  }
}

/** Runs `check` for every moment, each time on a new machine and in a new directory. */
export function everyMoment(
  check: (moment: number, directory: string) => { struck: string | undefined },
): void {
  for (let moment = 0;; moment++) {
    const directory = Deno.makeTempDirSync();
    try {
      const { struck } = check(moment, directory);
      if (struck !== undefined) continue;
      assert.ok(moment > 50, `only ${moment} moments`);
      return;
    } catch (error) {
      throw new Error(`at moment ${moment}`, { cause: error });
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  }
}
