/**
 * A program that preserves by itself in a session that the agent gave it, and restores so after the kexec: `open_session.ts save kexec`, `open_session.ts restore`.
 * It runs beside an agent on Linux, in a virtual machine (tests/vm/open_session_main.ts).
 */
import assert from "node:assert/strict";
import { MFD_CLOEXEC, MFD_EXEC, O_RDONLY } from "../../ffi/abi/fcntl.ts";
import { memfd_create, open as openFile, pread, write } from "../../ffi/file.ts";
import { AgentError, connectAgent } from "../../lib/agent/client.ts";
import { AsyncAgentClient } from "../../lib/agent/async_client.ts";
import { check } from "../../lib/error.ts";
import { Fd } from "../../lib/fd.ts";
import { linux } from "../../lib/linux/system_calls.ts";
import { IncomingSession, OutgoingSession } from "../../lib/session.ts";
import { BOOT_IMAGE, BOOT_INITRD, nextCommandLine } from "./guest.ts";

const NAME = "given";
const STATE = "the state of a program that preserves by itself";
const sys = linux();
const socket = "/run/luo/agent.sock";
const ready = new AsyncAgentClient(socket);
await ready.ready(AbortSignal.timeout(150_000));
using agent = connectAgent(socket);

/** A copy of the session's descriptor, of this process. */
function open(): { session: Fd; info: { opened?: boolean; filesKnown?: boolean } } {
  const { reply, fds } = agent.call("OpenSession", { name: NAME });
  return { session: new Fd(sys, fds.sessionFd.release()), info: reply.session };
}

function refused(method: "CloseSession" | "FinishSession", code: string): void {
  assert.throws(() => agent.call(method, { name: NAME }), (error) => {
    assert.ok(error instanceof AgentError && error.is("Refused"));
    assert.deepEqual(error.parameters.problems?.map((problem) => problem.code), [code]);
    return true;
  });
}

function save(): void {
  agent.call("CreateSession", { name: NAME });
  const { session, info } = open();
  assert.deepEqual([info.opened, info.filesKnown], [true, false]);
  const file = memfd_create("given", MFD_CLOEXEC | MFD_EXEC);
  write(file, new TextEncoder().encode(STATE));
  new OutgoingSession(session, NAME).preserve(new Fd(sys, file), 5n);
  refused("CloseSession", "files_unknown");
  // The agent has a copy of its own: the session outlives this process.
  session.close();
}

/** Goes into the next kernel, in the virtual machine. */
function kexec(): void {
  const files = [BOOT_IMAGE, BOOT_INITRD].map((path) => check(openFile(path, O_RDONLY), "open", path));
  const commandLine = nextCommandLine(Deno.readTextFileSync("/proc/cmdline"));
  const names = { kernel: BOOT_IMAGE, initrd: BOOT_INITRD };
  agent.call("LoadImage", { kernelFd: 0, initrdFd: 1, ...names, commandLine }, files, 120_000);
  agent.callUntilEnd("ExecImage", {}, 120_000);
}

function restore(): void {
  agent.call("RetrieveSession", { name: NAME });
  const { session, info } = open();
  assert.deepEqual([info.opened, info.filesKnown], [true, false]);
  const incoming = new IncomingSession(session, NAME);
  const bytes = new Uint8Array(STATE.length);
  assert.equal(pread(incoming.restore(5n).number, bytes, 0n), STATE.length);
  assert.equal(new TextDecoder().decode(bytes), STATE);
  refused("FinishSession", "files_unknown");
  incoming.finish();
  // The kernel has finished the session already. The agent only forgets it.
  agent.call("FinishSession", { name: NAME, force: true });
  assert.deepEqual(agent.call("ListSessions", {}).reply.sessions, []);
}

for (const verb of Deno.args) {
  const work = { save, kexec, restore }[verb];
  if (work === undefined) throw new TypeError("usage: save|kexec|restore...");
  work();
  console.log(`${verb}: as it should be`);
}
