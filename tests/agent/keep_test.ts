/** Kept sessions: preserved again by the agent after each kexec, and what is there when agent or kernel end at any moment of that. */
import assert from "node:assert/strict";
import { Errno } from "../../ffi/abi/errno.ts";
import {
  LIVEUPDATE_IOCTL_CREATE_SESSION,
  LIVEUPDATE_IOCTL_RETRIEVE_SESSION,
  LIVEUPDATE_SESSION_FINISH,
  LIVEUPDATE_SESSION_PRESERVE_FD,
  LIVEUPDATE_SESSION_RETRIEVE_FD,
} from "../../ffi/abi/liveupdate.ts";
import type { AgentState } from "../../lib/agent/agent_state.ts";
import { keepSession } from "../../lib/agent/keep.ts";
import { finishSession } from "../../lib/agent/session_end.ts";
import { createSession, retrieveSession } from "../../lib/agent/session_methods.ts";
import { Machine } from "../../lib/model/machine.ts";
import type { SystemCalls } from "../../lib/system_calls.ts";
import { everyMoment, mortal, play } from "./moments.ts";
import {
  fill as fillDisk,
  free,
  kexec,
  preserve,
  restore,
  start,
  startWith,
  told,
} from "./state_on_model.ts";

/** Preserves a file that contains its session and token. */
function preserveNamed(state: AgentState, session: string, token: string): void {
  preserve(state, session, token, session + token);
}

/** Kept: k with 1 and 2, m with 3, and e without files. Not kept: a with 4. */
function fill(state: AgentState): void {
  for (const name of ["k", "a", "m", "e"]) createSession(state, { name, keep: name !== "a" });
  for (const [name, token] of FILES) preserveNamed(state, name, token);
}

const KEPT = [["k", "1"], ["k", "2"], ["m", "3"]] as const;
const FILES = [...KEPT, ["a", "4"]] as const;

function contents(state: AgentState, session: string, token: string): string | undefined {
  const fd = state.preserved.get(session, token);
  if (fd === undefined) return undefined;
  const bytes = new Uint8Array(64);
  const got = fd.sys.pread(fd.number, bytes, 0n);
  return new TextDecoder().decode(bytes.subarray(0, Math.max(0, got)));
}

function isThere(state: AgentState, session: string, token: string): boolean {
  const info = state.outgoing.get(session)?.info;
  if (!info?.files.some((file) => file.token === token && file.state === "preserved")) return false;
  assert.equal(info.keep, true);
  assert.equal(contents(state, session, token), session + token);
  return true;
}

/** How often a file is listed as lost. */
function timesLost(state: AgentState, session: string, token: string): number {
  return state.losses.filter((loss) =>
    loss.session === session && loss.files.some((file) => file.token === token)
  )
    .length;
}

Deno.test("a kept session is outgoing again after each of three kexecs, the others wait", () => {
  const directory = Deno.makeTempDirSync();
  const machine = new Machine();
  {
    using state = start(machine, directory);
    createSession(state, { name: "a" });
    createSession(state, { name: "k", keep: true });
    preserveNamed(state, "a", "4");
    preserveNamed(state, "k", "1");
    restore(state, "k", "1");
    kexec(machine);
  }
  for (let update = 1; update <= 3; update++) {
    using state = start(machine, directory);
    assert.deepEqual([...state.outgoing.keys()], ["k"]);
    assert.equal(isThere(state, "k", "1"), true);
    assert.equal(restore(state, "k", "1").reply.file.state, "preserved");
    assert.deepEqual(state.incoming.size, update === 1 ? 1 : 0);
    preserveNamed(state, "k", String(update + 10));
    if (update === 1) {
      retrieveSession(state, { name: "a" });
      finishSession(state, { name: "a", force: true });
    }
    assert.deepEqual(state.losses, []);
    kexec(machine);
  }
  using last = start(machine, directory);
  assert.deepEqual(told(last), [["k", "outgoing", ["1", "11", "12", "13"]]]);
  Deno.removeSync(directory, { recursive: true });
});

/** The process, with a note of every session that it retrieves, before it does. */
function noting(sys: SystemCalls, retrieved: Set<string>): SystemCalls {
  return withIoctl(sys, (request, argument) => {
    if (request === LIVEUPDATE_IOCTL_RETRIEVE_SESSION) retrieved.add(nameIn(argument));
    return undefined;
  });
}

/** The process, with the answers of `answer` in place of the kernel's where there are any. */
function withIoctl(
  sys: SystemCalls,
  answer: (request: number, argument: Uint8Array) => number | undefined,
): SystemCalls {
  return new Proxy(sys, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      if (name !== "ioctl") return value.bind(target);
      return (fd: number, request: number, argument: Uint8Array) =>
        answer(request, argument) ?? target.ioctl(fd, request, argument);
    },
  });
}

function nameIn(argument: Uint8Array): string {
  const end = argument.indexOf(0, 8);
  return new TextDecoder().decode(argument.subarray(8, end < 0 ? undefined : end));
}

/** A machine after its first kexec, with everything handed over, and a directory as it is then. */
function handedOver(directory: string): Machine {
  const machine = new Machine();
  using first = startWith(machine.init(), directory);
  fill(first);
  kexec(machine);
  return machine;
}

/** The agent died with the manifest in its hands, and the record is older: the session waits, since its list may lack files. */
function takeIncomplete(state: AgentState, name: string): void {
  const info = state.incoming.get(name)?.info;
  if (info === undefined) return;
  assert.deepEqual([info.state, info.filesKnown], ["retrieved", false]);
  keepSession(state, { name, force: true });
}

Deno.test("an agent killed while it preserves kept sessions again: all that it had not retrieved is there, the rest is told", () => {
  everyMoment((moment, directory) => {
    const machine = handedOver(directory);
    const sys = machine.init();
    const retrieved = new Set<string>();
    const strike = () => void machine.kill(sys.getpid());
    const { struck } = play(() => startWith(mortal(noting(sys, retrieved), moment, strike), directory), []);
    if (struck === undefined) return { struck };
    using state = startWith(machine.spawn(), directory);
    for (const [name, token] of KEPT) {
      takeIncomplete(state, name);
      const there = isThere(state, name, token);
      assert.equal(timesLost(state, name, token), there ? 0 : 1, `file ${token} of ${name}`);
      if (!retrieved.has(name)) assert.ok(there, `file ${token} of ${name}, which was still in the kernel`);
    }
    assert.equal(state.incoming.get("a")?.info.state, "incoming");
    return { struck };
  });
});

for (const record of ["with", "without"]) {
  Deno.test(`a kexec by another process while kept sessions are preserved again: each file is there or told (${record} the record)`, () => {
    everyMoment((moment, directory) => {
      const machine = handedOver(directory);
      const preserved = new Set<string>();
      const sys = withIoctl(machine.init(), (request, argument) => {
        if (request === LIVEUPDATE_SESSION_PRESERVE_FD) preserved.add(String(argument[8]));
        return undefined;
      });
      const { struck } = play(() => startWith(mortal(sys, moment, () => kexec(machine)), directory), []);
      if (struck === undefined) return { struck };
      if (record === "without") Deno.removeSync(directory, { recursive: true });
      if (record === "without") Deno.mkdirSync(directory);
      using state = startWith(machine.spawn(), directory);
      for (const [name, token] of KEPT) {
        const there = isThere(state, name, token);
        // Before the first manifest of the second kernel there is no list.
        if (state.unlisted !== undefined) assert.deepEqual([there, preserved.size], [false, 0]);
        else assert.equal(timesLost(state, name, token), there ? 0 : 1, `file ${token} of ${name}`);
        if (there) assert.ok(preserved.has(token));
      }
      return { struck };
    });
  });
}

Deno.test("a kexec by another process after the agent has started again loses nothing of a kept session", () => {
  const directory = Deno.makeTempDirSync();
  const machine = handedOver(directory);
  using second = startWith(machine.init(), directory);
  for (const [name, token] of KEPT) assert.ok(isThere(second, name, token));
  kexec(machine);
  using third = startWith(machine.init(), directory);
  for (const [name, token] of KEPT) assert.ok(isThere(third, name, token));
  // Session a was incoming when the kernel ended.
  assert.deepEqual(third.losses.map(({ session }) => session), ["a"]);
  Deno.removeSync(directory, { recursive: true });
});

const isToken = (argument: Uint8Array, token: number) => argument[8] === token;
const failures: readonly {
  readonly what: string;
  readonly fails: (request: number, argument: Uint8Array) => boolean;
  readonly errno: number;
  readonly state: string;
  readonly problem: RegExp;
}[] = [
  {
    what: "the retrieve",
    fails: (request, argument) => request === LIVEUPDATE_IOCTL_RETRIEVE_SESSION && nameIn(argument) === "k",
    errno: Errno.EMFILE,
    state: "incoming",
    problem: /retrieve session "k"/,
  },
  {
    what: "the create",
    fails: (request, argument) => request === LIVEUPDATE_IOCTL_CREATE_SESSION && nameIn(argument) === "k",
    errno: Errno.ENOMEM,
    state: "retrieved",
    problem: /create session "k"/,
  },
  {
    what: "a restore",
    fails: (request, argument) => request === LIVEUPDATE_SESSION_RETRIEVE_FD && isToken(argument, 2),
    errno: Errno.ENOMEM,
    state: "retrieved",
    problem: /does not give out file 2 \(ENOMEM\)/,
  },
  {
    what: "the finish",
    // The manifest is finished first.
    fails: ((count) => (request: number) => request === LIVEUPDATE_SESSION_FINISH && count++ === 1)(0),
    errno: Errno.EBUSY,
    state: "retrieved",
    problem: /finish session "k"/,
  },
  {
    what: "a preserve",
    fails: (request, argument) => request === LIVEUPDATE_SESSION_PRESERVE_FD && isToken(argument, 2),
    errno: Errno.ENOMEM,
    state: "outgoing",
    problem: /refused to preserve again: file 2/,
  },
];

for (const { what, fails, errno, state: expected, problem } of failures) {
  Deno.test(`${what} fails: nothing is lost, luo status says why, and session keep tries again`, () => {
    const directory = Deno.makeTempDirSync();
    const machine = handedOver(directory);
    let broken = true;
    const sys = withIoctl(machine.init(), (...call) => broken && fails(...call) ? -errno : undefined);
    using state = startWith(sys, directory);
    assert.deepEqual(state.losses, []);
    const [info] = state.named("k");
    assert.equal(info?.state, expected);
    assert.match(info?.keepProblem ?? "", problem);
    assert.ok(isThere(state, "m", "3"), "the other session is kept");
    broken = false;
    const { session } = keepSession(state, { name: "k" });
    assert.equal(session.keepProblem, undefined);
    kexec(machine);
    using next = startWith(machine.init(), directory);
    for (const [name, token] of KEPT) assert.ok(isThere(next, name, token));
    Deno.removeSync(directory, { recursive: true });
  });
}

Deno.test("a file that the agent holds goes to nobody's loss silently: a kexec now is told as its loss", () => {
  const directory = Deno.makeTempDirSync();
  const machine = handedOver(directory);
  const sys = withIoctl(
    machine.init(),
    (request, argument) =>
      request === LIVEUPDATE_SESSION_PRESERVE_FD && isToken(argument, 2) ? -Errno.ENOMEM : undefined,
  );
  using state = startWith(sys, directory);
  assert.equal(contents(state, "k", "2"), "k2");
  assert.equal(state.outgoing.get("k")?.info.files.find(({ token }) => token === "2")?.state, "held");
  kexec(machine);
  using next = startWith(machine.init(), directory);
  assert.equal(timesLost(next, "k", "2"), 1);
  assert.ok(isThere(next, "k", "1"));
  Deno.removeSync(directory, { recursive: true });
});

Deno.test("a session whose files are unknown is not finished without force", () => {
  const directory = Deno.makeTempDirSync();
  const machine = new Machine();
  {
    using state = start(machine, directory);
    createSession(state, { name: "k", keep: true });
    preserveNamed(state, "k", "1");
    for (const { info } of state.outgoing.values()) info.filesKnown = false;
    preserveNamed(state, "k", "2");
    kexec(machine);
  }
  using state = start(machine, directory);
  assert.match(state.named("k")[0]?.keepProblem ?? "", /files are unknown/);
  assert.throws(() => keepSession(state, { name: "k" }), /Refused/);
  assert.deepEqual(keepSession(state, { name: "k", force: true }).session.files.map(({ token }) => token), [
    "1",
    "2",
  ]);
  Deno.removeSync(directory, { recursive: true });
});

Deno.test("full disk: kept sessions stay in the kernel until the journal can be written", () => {
  const directory = Deno.makeTempDirSync();
  const machine = handedOver(directory);
  fillDisk(directory);
  using state = start(machine, directory);
  assert.deepEqual(told(state).map(([name, state]) => [name, state]).toSorted(), [
    ["a", "incoming"],
    ["e", "incoming"],
    ["k", "incoming"],
    ["m", "incoming"],
  ]);
  free(directory);
  for (const name of ["k", "m", "e"]) keepSession(state, { name });
  for (const [name, token] of KEPT) assert.ok(isThere(state, name, token));
  Deno.removeSync(directory, { recursive: true });
});
