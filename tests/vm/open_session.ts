/**
 * A program that preserves by itself in a session that the agent gave it, executes the next kernel, and restores so there. It runs in a
 * virtual machine (open_session_main.ts) and under luo emulate (tests/emulate/agent_test.ts). Agent and program are one process: a start
 * of Deno takes long in a virtual machine.
 */
import assert from "node:assert/strict";
import { MFD_CLOEXEC, MFD_EXEC, O_RDONLY } from "../../ffi/abi/fcntl.ts";
import { memfd_create, open as openFile, pread, write } from "../../ffi/file.ts";
import { runAgent } from "../../lib/agent/agent.ts";
import { AsyncAgentClient } from "../../lib/agent/async_client.ts";
import { AgentError } from "../../lib/agent/client.ts";
import { check } from "../../lib/error.ts";
import { Fd } from "../../lib/fd.ts";
import { linux } from "../../lib/linux/system_calls.ts";
import { IncomingSession, OutgoingSession } from "../../lib/session.ts";
import { BOOT_IMAGE, BOOT_INITRD, nextCommandLine } from "./guest.ts";

const NAME = "given";
const STATE = "the state of a program that preserves by itself";
const socket = "/tmp/luo-open/agent.sock";
const sys = linux();
const agent = new AsyncAgentClient(socket);

/** A copy of the session's descriptor, of this process. */
async function open(): Promise<{ session: Fd; info: { opened?: boolean; filesKnown?: boolean } }> {
  const { reply, fds } = await agent.call("OpenSession", { name: NAME });
  return { session: new Fd(sys, fds.sessionFd.release()), info: reply.session };
}

async function refused(method: "CloseSession" | "FinishSession", code: string): Promise<void> {
  await assert.rejects(agent.call(method, { name: NAME }), (error) => {
    assert.ok(error instanceof AgentError && error.is("Refused"));
    assert.deepEqual(error.parameters.problems?.map((problem) => problem.code), [code]);
    return true;
  });
}

async function save(): Promise<void> {
  await agent.call("CreateSession", { name: NAME });
  const { session, info } = await open();
  assert.deepEqual([info.opened, info.filesKnown], [true, false]);
  const file = memfd_create("given", MFD_CLOEXEC | MFD_EXEC);
  write(file, new TextEncoder().encode(STATE));
  new OutgoingSession(session, NAME).preserve(new Fd(sys, file), 5n);
  await refused("CloseSession", "files_unknown");
  // The agent has a copy of its own.
  session.close();
}

/** Goes into the next kernel: under luo emulate its files are in the environment. */
async function kexec(): Promise<void> {
  const { LUO_KERNEL: kernel = BOOT_IMAGE, LUO_INITRD: initrd = BOOT_INITRD, LUO_CMDLINE } = Deno.env
    .toObject();
  const files = [kernel, initrd].map((path) => check(openFile(path, O_RDONLY), "open", path));
  const commandLine = LUO_CMDLINE ?? nextCommandLine(Deno.readTextFileSync("/proc/cmdline"));
  await agent.call("LoadImage", { kernelFd: 0, kernel, initrdFd: 1, initrd, commandLine }, { fds: files });
  await agent.call("ExecImage", {});
}

async function restore(): Promise<void> {
  await agent.call("RetrieveSession", { name: NAME });
  const { session, info } = await open();
  assert.deepEqual([info.opened, info.filesKnown], [true, false]);
  const incoming = new IncomingSession(session, NAME);
  const bytes = new Uint8Array(STATE.length);
  assert.equal(pread(incoming.restore(5n).number, bytes, 0n), STATE.length);
  assert.equal(new TextDecoder().decode(bytes), STATE);
  await refused("FinishSession", "files_unknown");
  incoming.finish();
  // The kernel has finished the session already. The agent only forgets it.
  await agent.call("FinishSession", { name: NAME, force: true });
  assert.deepEqual((await agent.call("ListSessions", {})).reply.sessions, []);
}

Deno.mkdirSync("/tmp/luo-open", { recursive: true, mode: 0o700 });
const stop = new AbortController();
const log = (line: string) => console.error(line);
const running = runAgent({ sys, backend: "linux", socket, version: "test", log, stop: stop.signal });
await agent.ready(AbortSignal.timeout(60_000));
const boot = Deno.env.get("LUO_BOOT");
if (boot === "1") await save();
else await restore();
console.log(`boot ${boot}: as it should be`);
if (boot === "1") await kexec();
stop.abort();
await running;
