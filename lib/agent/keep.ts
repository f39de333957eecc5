/** Kept sessions: after each kexec the agent takes them over and preserves their files again. docs/keep.md says what can be lost when. */
import { SEEK_CUR } from "../../ffi/abi/fcntl.ts";
import { LuoError } from "../error.ts";
import type { Fd } from "../fd.ts";
import type { IncomingSession, OutgoingSession } from "../session.ts";
import { ProcessKilled } from "../system_calls.ts";
import type { AgentState, Held } from "./agent_state.ts";
import { loss } from "./journal.ts";
import type { FileInfo, Methods, SessionInfo } from "./protocol.ts";
import { refused } from "./refusal.ts";
import { agentError } from "./request_checks.ts";
import { checkName, type Open, retrievedSession, SYSTEMD_SESSION, wrongState } from "./session_lookup.ts";
import { saveOr } from "./save_or.ts";
import { gone, retrieveSession } from "./session_methods.ts";
import { VarlinkError } from "./varlink.ts";

export function keepSession(
  state: AgentState,
  { name, keep = true, force = false }: Methods["KeepSession"]["request"],
): Methods["KeepSession"]["reply"] {
  checkName(name);
  if (name === SYSTEMD_SESSION) {
    throw agentError("BadRequest", { message: `session "${name}" is systemd's own` });
  }
  const outgoing = state.outgoing.get(name);
  if (outgoing?.session !== undefined) {
    return keepOutgoing(state, { ...outgoing, session: outgoing.session }, keep);
  }
  const known = state.incoming.get(name);
  if (!keep && known !== undefined) {
    throw wrongState(known.info, "stop keeping", "it was handed over: finish it instead");
  }
  if (known?.info.state !== "retrieved") retrieveSession(state, { name, force });
  return { session: renew(state, retrievedSession(state, name, "keep"), force) };
}

function keepOutgoing(
  state: AgentState,
  { info, session }: Open<OutgoingSession>,
  keep: boolean,
): Methods["KeepSession"]["reply"] {
  const before = info.keep;
  if (keep) info.keep = true;
  else delete info.keep;
  saveOr(state, { list: "outgoing", name: info.name }, () => {
    if (before === undefined) delete info.keep;
    else info.keep = before;
  });
  for (const file of info.files) if (file.state === "held") preserveHeld(state, session, file);
  noteHeld(info);
  return { session: info };
}

/** @throws LuoError `preserve` */
function preserveHeld(state: AgentState, session: OutgoingSession, file: FileInfo): void {
  const fd = state.preserved.get(session.name, file.token);
  if (fd === undefined) return;
  session.preserve(fd, BigInt(file.token));
  file.state = "preserved";
}

/**
 * The caller calls this before it writes the journal, and `renewKept` after that: when the agent dies in between, the next one asks
 * the kernel which of these sessions it still has.
 */
export function announceKept(state: AgentState): void {
  for (const held of state.incoming.values()) {
    if (held.info.keep) held.info = { ...held.info, state: "retrieved" };
  }
}

/**
 * Preserves all kept sessions again that were handed over. A session for which that fails stays as it was handed over, and says why:
 * nothing of it is lost.
 */
export function renewKept(state: AgentState): void {
  const unwritten = state.journal.problem;
  for (const held of [...state.incoming.values()].filter(({ info }) => info.keep)) {
    try {
      if (unwritten !== undefined) throw new Error(unwritten);
      renew(state, retrieved(state, held), false);
    } catch (error) {
      if (error instanceof ProcessKilled) throw error;
      noteProblem(state, held.info.name, reasonOf(error));
    }
  }
}

/** Retrieves a session. The journal says already that the agent has retrieved it. @throws LuoError `retrieve` */
function retrieved(state: AgentState, held: Held<IncomingSession>): Open<IncomingSession> {
  const { info } = held;
  if (held.session !== undefined) return { info, session: held.session };
  try {
    held.session = state.retrieve(info.name);
    return { info, session: held.session };
  } catch (error) {
    if (error instanceof LuoError && error.is("ENOENT")) throw gone(state, info);
    throw error;
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof VarlinkError && Array.isArray(error.parameters.reasons)) {
    return error.parameters.reasons.join("; ");
  }
  if (error instanceof LuoError) return error.summary;
  return error instanceof Error ? error.message : String(error);
}

function noteProblem(state: AgentState, name: string, reason: string): void {
  state.options.log(`Cannot preserve session "${name}" again: ${reason}`);
  const held = state.incoming.get(name);
  if (held === undefined) return;
  const stays = held.session === undefined ? "incoming" : "retrieved";
  held.info = { ...held.info, state: stays, keepProblem: reason };
  state.saveOrLog();
}

/**
 * Makes an outgoing session of a retrieved one. The kernel preserves a file again only after the session that it came in is finished
 * (EBUSY before), so everything that can fail comes before the finish: up to there all is as it was. From the finish to the
 * preserve the agent alone has the files.
 *
 * @throws VarlinkError Refused; LuoError `create`, `restore`, `record`, `write`, `finish`: the session is as it was
 */
function renew(state: AgentState, { info, session }: Open<IncomingSession>, force: boolean): SessionInfo {
  const { name } = info;
  if (info.filesKnown === false && !force) throw refused("keep", `session "${name}"`, [unknownFiles(name)]);
  state.store.checkRoom("keep", name);
  const next = state.device.use((device) => device.create(name));
  const files = new Map<FileInfo, Fd>();
  let renewed: SessionInfo;
  let missing: FileInfo[];
  try {
    missing = restoreAll(session, info, files, force);
    renewed = renewedInfo(info, [...files.keys()]);
    state.store.keep(next);
    state.outgoing.set(name, { info: renewed, session: next });
    // The journal now lists the files in both sessions, so that the next agent looks in both, whenever the kexec comes.
    saveOr(state, { list: "outgoing", name }, () => state.outgoing.delete(name));
    finishOr(state, session, () => state.outgoing.delete(name));
  } catch (error) {
    for (const fd of files.values()) fd[Symbol.dispose]();
    next.fd[Symbol.dispose]();
    if (!(error instanceof ProcessKilled)) state.endedInStore(next);
    throw error;
  }
  for (const [file, fd] of files) preserveAgain(state, next, file, fd);
  noteHeld(renewed);
  state.incoming.delete(name);
  const reason = "the kernel does not have it, although it was handed over in a kept session";
  if (missing.length > 0) state.lose([loss({ ...info, files: missing }, reason, state.options.now())]);
  settle(state, name, missing.length > 0);
  state.endedInStore(session);
  return renewed;
}

function unknownFiles(session: string) {
  const reason =
    "its files are unknown, and the kernel cannot list them; those that are not listed would be gone";
  return { code: "files_unknown", session, reason } as const;
}

/** Restores all files into `into`. Returns those that the kernel does not have. */
function restoreAll(
  session: IncomingSession,
  { name, files }: SessionInfo,
  into: Map<FileInfo, Fd>,
  force: boolean,
): FileInfo[] {
  const missing: FileInfo[] = [];
  for (const file of files) {
    try {
      const { verdict: _, ...rest } = file;
      const fd = session.restore(BigInt(file.token));
      const position = fd.sys.lseek(fd.number, 0n, SEEK_CUR);
      into.set({ ...rest, ...position < 0n ? {} : { position: Number(position) }, state: "preserved" }, fd);
    } catch (error) {
      if (!(error instanceof LuoError)) throw error;
      if (!error.is("ENOENT") && !force) {
        const reason =
          `the kernel does not give out file ${file.token} (${error.code}), and it would be gone`;
        const problem = { code: "file_not_restorable", session: name, token: file.token, reason } as const;
        throw refused("keep", `session "${name}"`, [problem]);
      }
      missing.push(file);
    }
  }
  return missing;
}

function renewedInfo({ name, createdAt }: SessionInfo, files: FileInfo[]): SessionInfo {
  return { name, state: "outgoing", createdAt, files, keep: true };
}

function finishOr(state: AgentState, session: IncomingSession, undo: () => void): void {
  try {
    session.finish();
  } catch (error) {
    undo();
    if (!(error instanceof ProcessKilled)) state.saveOrLog();
    throw error;
  }
}

/** When the kernel refuses the file, the agent holds it: there is no session to put it back into. */
function preserveAgain(state: AgentState, session: OutgoingSession, file: FileInfo, fd: Fd): void {
  state.preserved.own(session.name, file.token, fd);
  try {
    session.preserve(fd, BigInt(file.token));
    state.digests.add(session.name, file, fd);
  } catch (error) {
    if (!(error instanceof LuoError)) throw error;
    file.state = "held";
    state.options.log(
      `${error.message}: the agent holds the file, which a kexec or the agent's end would destroy`,
    );
  }
}

function noteHeld(info: SessionInfo): void {
  const held = info.files.filter(({ state }) => state === "held");
  delete info.keepProblem;
  if (held.length === 0) return;
  const tokens = held.map(({ token }) => token).join(", ");
  info.keepProblem = `the kernel refused to preserve again: file ${tokens}`;
}

/** Removes the session that was handed over from the journal. When that fails, the outgoing session of the same name counts. */
function settle(state: AgentState, name: string, losses: boolean): void {
  if (losses) return state.saveOrLog();
  try {
    state.save({ list: "incoming", name });
  } catch (error) {
    if (!(error instanceof LuoError)) throw error;
    state.options.log(error.message);
  }
}
