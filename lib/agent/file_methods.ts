/** The requests about files: preserve, restore, and mark as restored. */
import {
  F_DUPFD_CLOEXEC,
  F_GET_SEALS,
  F_GETFL,
  F_SEAL_EXEC,
  O_ACCMODE,
  O_RDWR,
  SEEK_CUR,
} from "../../ffi/abi/fcntl.ts";
import type { Credentials } from "../../ffi/abi/socket.ts";
import { close, dup_cloexec, fstatfs_type } from "../../ffi/file.ts";
import { check, LuoError } from "../error.ts";
import { Fd } from "../fd.ts";
import type { IncomingSession } from "../session.ts";
import type { Stat, SystemCalls } from "../system_calls.ts";
import { availableMemory } from "./proc_text.ts";
import { descriptorOf } from "./descriptor_of.ts";
import { loss } from "./journal.ts";
import { kindOfFile } from "./kind_of_file.ts";
import type { FileInfo, Methods, SessionInfo } from "./protocol.ts";
import { type Objection, refused } from "./refusal.ts";
import { agentError, checkDigest, takeFd, tokenParameter } from "./request_checks.ts";
import { type Open, outgoingSession, retrievedSession, wrongState } from "./session_lookup.ts";
import { saveOr } from "./save_or.ts";
import type { AgentState } from "./agent_state.ts";
import { digesting } from "./update_digests.ts";

export function preserveFile(
  state: AgentState,
  request: Methods["PreserveFile"]["request"],
  fds: number[],
  peer: Credentials,
): Methods["PreserveFile"]["reply"] {
  const { sys } = state;
  const token = tokenParameter(request.token);
  checkDigest(request.digest);
  const { info, session } = outgoingSession(state, request.session, "preserve");
  const subject = `file ${token} in session "${request.session}"`;
  const given = givenFile(request, fds, peer);
  // The host's descriptor is asked now, because `adopt` takes it away.
  const fileSystem = fstatfs_type(given);
  using file = Fd.of(sys, sys.adopt(given), "preserve", subject);
  const stat = check<Stat>(sys.fstat(file.number), "preserve", subject);
  const seals = sealsOf(sys, file.number);
  const objections = request.force ? [] : [...differences(sys, file.number, seals), ...tooLarge(sys, stat)];
  if (objections.length > 0) throw refused("preserve", subject, objections);
  session.preserve(file, token);
  const { label, digest } = request;
  const kept: FileInfo = {
    token: String(token),
    ...(label === undefined ? {} : { label }),
    size: Number(stat.size),
    ...(digest === undefined ? {} : { digest }),
    seals,
    ...kindOfFile(fileSystem, stat),
    preservedAt: state.options.now(),
    state: "preserved",
  };
  info.files.push(kept);
  state.preserved.keep(info, kept, file, digesting(state));
  // The file stays preserved when the journal cannot be written: the kernel has no call to undo it.
  const only = { list: "outgoing", name: info.name } as const;
  state.saveDone(`File ${token} in session "${request.session}" is preserved`, only);
  return { file: kept };
}

/** The host's descriptor of the file to preserve. The caller closes it. @throws VarlinkError BadRequest */
function givenFile(
  { fileFd, pid, descriptor }: Methods["PreserveFile"]["request"],
  fds: number[],
  peer: Credentials,
): number {
  if (fileFd !== undefined && pid === undefined && descriptor === undefined) {
    return takeFd(fds, fileFd, "fileFd");
  }
  if (fileFd !== undefined || pid === undefined || descriptor === undefined) {
    throw agentError("BadRequest", {
      message: "a file is given either as fileFd, or as pid and descriptor",
    });
  }
  if (pid < 1 || pid > INT_MAX || descriptor < 0 || descriptor > INT_MAX) {
    throw agentError("BadRequest", { message: `there is no descriptor ${descriptor} of process ${pid}` });
  }
  return descriptorOf(pid, descriptor, peer);
}

/** The largest pid_t and the largest descriptor. */
const INT_MAX = 2 ** 31 - 1;

function sealsOf(sys: SystemCalls, fd: number): number {
  return Math.max(0, sys.fcntl(fd, F_GET_SEALS));
}

/** The properties of the file that would be harmfully different after the kexec. */
function differences(sys: SystemCalls, fd: number, seals: number): Objection[] {
  const found: Objection[] = [];
  const flags = sys.fcntl(fd, F_GETFL);
  if (flags >= 0 && (flags & O_ACCMODE) !== O_RDWR) {
    const reason = "its file descriptor is not open for reading and writing, and would come back writable";
    found.push({ code: "access_changes", reason });
  }
  if (seals & F_SEAL_EXEC) {
    const reason =
      "it is sealed with F_SEAL_EXEC (made with MFD_NOEXEC_SEAL), and would come back sealed against writing for ever: make it with MFD_EXEC";
    found.push({ code: "sealed_exec", reason });
  }
  return found;
}

/** Preserving fills the holes of a sparse file. Without the memory for that, processes are killed before ENOMEM. */
function tooLarge(sys: SystemCalls, { size, blocks }: Stat): Objection[] {
  const holes = size - blocks * 512n;
  const available = availableMemory(sys);
  if (available === undefined || holes <= available) return [];
  const reason = `its holes would be filled with ${holes} bytes of memory, and ${available} are available`;
  return [{ code: "memory_short", reason }];
}

/** A restored file: the answer, the descriptor to send, and one to hold open when the answer has a path. */
interface Restored {
  readonly reply: Methods["RestoreFile"]["reply"];
  readonly fds: readonly number[];
  readonly held: readonly number[];
}

export function restoreFile(
  state: AgentState,
  request: Methods["RestoreFile"]["request"],
): Restored {
  const { sys } = state;
  const token = tokenParameter(request.token);
  const { info, ...opened } = openedFile(state, request.session, token);
  using file = opened.file;
  const subject = `file ${token} of session "${request.session}"`;
  const stat = check<Stat>(sys.fstat(file.number), "restore", subject);
  const host_fd = check(sys.expose(file.number), "restore", subject);
  const given = info.files.find((one) => one.token === String(token)) ??
    unlisted(info, {
      token: String(token),
      size: Number(stat.size),
      seals: sealsOf(sys, file.number),
      ...kindOfFile(fstatfs_type(host_fd), stat),
    });
  // The position is read before a client can move it: the kernel gives the same open file description every time.
  const position = sys.lseek(file.number, 0n, SEEK_CUR);
  if (info.state === "retrieved" && given.position === undefined && position >= 0n) {
    given.position = Number(position);
  }
  const held: number[] = [];
  try {
    if (request.path) held.push(check(dup_cloexec(host_fd), "restore", subject));
    if (info.state === "outgoing") state.digests.drop(given);
    else setState(state, info.name, given, request.mark === false ? given.state : "restored");
  } catch (error) {
    [host_fd, ...held].forEach(close);
    throw error;
  }
  const path = held.map((fd) => ({ path: `/proc/${state.options.pid}/fd/${fd}` }))[0];
  return { reply: { file: given, fileFd: 0, ...path }, fds: [host_fd], held };
}

/** A descriptor of the file, and the session that it is in: a retrieved one, or a kept one. */
function openedFile(state: AgentState, name: string, token: bigint): { info: SessionInfo; file: Fd } {
  const kept = keptSession(state, name);
  if (kept === undefined) {
    const session = retrievedSession(state, name, "restore");
    return { info: session.info, file: restored(state, session, token) };
  }
  const fd = state.preserved.get(name, String(token));
  const known = kept.files.map((one) => one.token);
  if (!known.includes(String(token))) throw noSuchFile(name, token, known);
  if (fd === undefined) {
    const message = `the agent has no descriptor of file ${token}: it can be restored after the kexec`;
    throw wrongState(kept, "restore", message);
  }
  const copy = state.sys.fcntl(fd.number, F_DUPFD_CLOEXEC, 0);
  return { info: kept, file: Fd.of(state.sys, copy, "restore", `file ${token} of session "${name}"`) };
}

/** The outgoing session of that name, when its files are given out in this kernel too. */
function keptSession(state: AgentState, name: string): SessionInfo | undefined {
  const info = state.outgoing.get(name)?.info;
  return info?.keep ? info : undefined;
}

function noSuchFile(session: string, token: bigint | string, known: string[]) {
  return agentError("NoSuchFile", { session, token: String(token), known });
}

/**
 * The kernel has a file that the agent has no record of. From now on the file is listed, and the session's list is known to be
 * incomplete.
 */
function unlisted(
  info: SessionInfo,
  seen: Pick<FileInfo, "token" | "size" | "seals" | "kind">,
): FileInfo {
  const file: FileInfo = { ...seen, state: "waiting" };
  info.files.push(file);
  info.filesKnown = false;
  return file;
}

export function markFile(
  state: AgentState,
  request: Methods["MarkFile"]["request"],
): Methods["MarkFile"]["reply"] {
  const token = String(tokenParameter(request.token));
  const kept = keptSession(state, request.session);
  const info = kept ?? retrievedSession(state, request.session, "restore").info;
  const file = info.files.find((one) => one.token === token);
  if (file === undefined) {
    throw noSuchFile(request.session, token, info.files.map((one) => one.token));
  }
  // A file of a kept session stays preserved while programs use it.
  if (kept === undefined) setState(state, info.name, file, request.restored ? "restored" : "waiting");
  return { file };
}

function setState(state: AgentState, session: string, file: FileInfo, to: FileInfo["state"]): void {
  const before = file.state;
  if (before === to) return;
  file.state = to;
  // A change that is not in the journal is undone: otherwise a finish could drop a file that no client has.
  saveOr(state, { list: "incoming", name: session }, () => {
    file.state = before;
  });
}

/** @throws VarlinkError NoSuchFile: a file that is listed and that the kernel does not have becomes a loss */
function restored(state: AgentState, { info, session }: Open<IncomingSession>, token: bigint): Fd {
  try {
    return session.restore(token);
  } catch (error) {
    if (!(error instanceof LuoError && error.is("ENOENT"))) throw error;
    const listed = info.files.find((file) => file.token === String(token));
    if (listed !== undefined) {
      info.files = info.files.filter((file) => file !== listed);
      const reason = `the kernel does not have file ${token} of the session`;
      state.lose([loss({ ...info, files: [listed] }, reason, state.options.now())]);
      // The list was wrong, so the session can have files that the list lacks.
      info.filesKnown = false;
      state.saveOrLog();
    }
    const known = info.files.map((file) => file.token);
    throw noSuchFile(info.name, token, known);
  }
}
