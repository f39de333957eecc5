/** Strikes an agent before and after every single system call that it makes: a kill, or the kexec of another process. */
import assert from "node:assert/strict";
import { MFD_ALLOW_SEALING, MFD_CLOEXEC, MFD_EXEC, O_RDONLY } from "../../ffi/abi/fcntl.ts";
import { close, open } from "../../ffi/file.ts";
import { preserveFile, restoreFile } from "../../lib/agent/file_methods.ts";
import { agentPaths } from "../../lib/agent/agent_place.ts";
import { AgentState } from "../../lib/agent/agent_state.ts";
import { Fd } from "../../lib/fd.ts";
import { ProcessKilled, type SystemCalls } from "../../lib/system_calls.ts";
import { standInBzImage } from "../../lib/kexec/bzimage.ts";
import { exec, loadImage } from "../../lib/kexec/load.ts";
import type { Machine } from "../../lib/model/machine.ts";

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
        const answer: unknown = name === "adopt"
          ? args[0]
          // A descriptor of this process, which the agent may close.
          : name === "expose"
          ? open("/dev/null", O_RDONLY)
          : Reflect.apply(value, target, args);
        pass();
        return answer;
      };
    },
  });
}

export function agent(sys: SystemCalls, directory: string): AgentState {
  const paths = agentPaths(`${directory}/s`);
  return new AgentState({
    sys,
    paths,
    pid: sys.getpid(),
    now: () => "2026-01-01T00:00:00.000Z",
    log: () => {},
  });
}

export function preserve(state: AgentState, session: string, token: string): void {
  const fd = state.sys.memfd_create("data", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
  state.sys.write(fd, new TextEncoder().encode(session + token));
  preserveFile(state, { session, token, fileFd: 0 }, [fd], { pid: 1, uid: 0, gid: 0 });
}

export function restore(state: AgentState, session: string, token: string): void {
  restoreFile(state, { session, token }).fds.forEach(close);
}

export function kexec(machine: Machine): void {
  const sys = machine.spawn();
  const image = Fd.of(sys, sys.memfd_create("image", 0), "memfd_create");
  sys.write(image.number, standInBzImage({ release: "next" }));
  loadImage(sys, { kernel: image, commandLine: "liveupdate=on" });
  assert.throws(() => exec(sys), ProcessKilled);
}

export type Step = readonly [what: string, run: (state: AgentState) => void];

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
