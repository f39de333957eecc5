/** An agent's state on a model in this process: started, filled, and taken through a kexec. */
import assert from "node:assert/strict";
import {
  F_ADD_SEALS,
  F_SEAL_SHRINK,
  MFD_ALLOW_SEALING,
  MFD_CLOEXEC,
  MFD_EXEC,
  O_RDONLY,
} from "../../ffi/abi/fcntl.ts";
import { close, memfd_create, open, write } from "../../ffi/file.ts";
import { preserveFile, restoreFile } from "../../lib/agent/file_methods.ts";
import { agentPaths } from "../../lib/agent/agent_place.ts";
import type { FdStore } from "../../lib/agent/fd_store.ts";
import { AgentState } from "../../lib/agent/agent_state.ts";
import { check, LuoError } from "../../lib/error.ts";
import { Fd } from "../../lib/fd.ts";
import { ProcessKilled, type Stat, type SystemCalls } from "../../lib/system_calls.ts";
import { standInBzImage } from "../../lib/kexec/bzimage.ts";
import { exec, loadImage } from "../../lib/kexec/load.ts";
import type { Machine } from "../../lib/model/machine.ts";

export function start(machine: Machine, directory: string, log: string[] = []): AgentState {
  return startWith(machine.spawn(), directory, { log });
}

/** An agent in the process. */
export function startWith(
  process: SystemCalls,
  directory: string,
  { log = [], store }: { log?: string[]; store?: FdStore | undefined } = {},
): AgentState {
  const sys = adopting(process);
  const now = () => "2026-01-01T00:00:00.000Z";
  return new AgentState({
    sys,
    paths: agentPaths(`${directory}/s`),
    pid: 1,
    now,
    log: (line) => log.push(line),
    store,
  });
}

/** The same process, but the files that the tests hand over are files of the model. */
function adopting(sys: SystemCalls): SystemCalls {
  return new Proxy(sys, {
    get(target, name) {
      if (name === "adopt") return (fd: number) => fd;
      if (name === "expose") return (fd: number) => copyOnHost(sys, fd);
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** A file of the host with the same bytes, which the caller may close. What cannot be read is /dev/null. */
function copyOnHost(sys: SystemCalls, fd: number): number {
  const bytes = new Uint8Array(COPIED_MAX);
  const got = sys.pread(fd, bytes, 0n);
  if (got < 0) return open("/dev/null", O_RDONLY);
  const copy = memfd_create("copy", MFD_CLOEXEC);
  write(copy, bytes.subarray(0, got));
  return copy;
}

const COPIED_MAX = 4096;

/**
 * Makes a directory where the record is written before it is renamed: not even root can write the file then. The record itself is
 * another file with the same content from then on, to which no agent adds anything.
 */
export function fill(directory: string): void {
  const record = `${directory}/s.state`;
  Deno.copyFileSync(record, `${record}.copy`);
  Deno.renameSync(`${record}.copy`, record);
  Deno.mkdirSync(`${directory}/s.state.new`);
}

export function free(directory: string): void {
  Deno.removeSync(`${directory}/s.state.new`);
}

export function preserve(state: AgentState, session: string, token: string, contents = "data"): void {
  const fd = state.sys.memfd_create("data", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
  state.sys.write(fd, new TextEncoder().encode(contents));
  state.sys.fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK);
  preserveFile(state, { session, token, fileFd: 0 }, [fd], { pid: 1, uid: 0, gid: 0 });
}

export function restore(state: AgentState, session: string, token: string): ReturnType<typeof restoreFile> {
  const restored = restoreFile(state, { session, token });
  restored.fds.forEach(close);
  return restored;
}

/** A kexec after which the manifest holds zeros. The manifest's memfd is found among the fds by its first bytes. */
export function damageManifest(state: AgentState, machine: Machine): void {
  const { sys } = state;
  const magic = new Uint8Array(4);
  for (let fd = 0; fd < 64; fd++) {
    if (sys.pread(fd, magic, 0n) !== 4 || String(magic) !== "76,85,79,77") continue;
    const { size } = check<Stat>(sys.fstat(fd), "fstat", "the manifest");
    assert.equal(sys.pwrite(fd, new Uint8Array(Number(size)), 0n), Number(size));
  }
  kexec(machine);
}

export function kexec(machine: Machine): void {
  const sys = loadNext(machine);
  assert.throws(() => exec(sys), ProcessKilled);
}

/** Another process of the machine loads an image. */
export function loadNext(machine: Machine): SystemCalls {
  const sys = machine.spawn();
  const image = Fd.of(sys, sys.memfd_create("image", 0), "memfd_create");
  sys.write(image.number, standInBzImage({ release: "next" }));
  loadImage(sys, { kernel: image, commandLine: "liveupdate=on" });
  return sys;
}

export const unrecorded = (error: unknown) => error instanceof LuoError && error.operation === "record";
export const told = (state: AgentState) =>
  state.sessions().map(({ name, state, files }) => [name, state, files.map(({ token }) => token)]);
