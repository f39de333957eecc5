/** The record: the agent's file beside its socket, with the journal for the next agent of the same boot. */
import { O_CLOEXEC, O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY, O_TRUNC, O_WRONLY } from "../../ffi/abi/fcntl.ts";
import { close, fstat, open, read, rename, unlink, write } from "../../ffi/file.ts";
import { check } from "../error.ts";
import type { AgentPaths } from "./agent_place.ts";
import { decodeJournal, type Journal } from "./journal.ts";

/** The journal in the record. Undefined: there is no record, or it is no journal. */
export function readRecord(paths: AgentPaths): Journal | undefined {
  const fd = open(paths.state, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return undefined;
  const stat = fstat(fd);
  const bytes = new Uint8Array(typeof stat === "number" ? 0 : Number(stat.size));
  let at = 0;
  for (let got = 1; got > 0 && at < bytes.length; at += Math.max(got, 0)) got = read(fd, bytes.subarray(at));
  close(fd);
  return decodeJournal(bytes.subarray(0, at));
}

/** Written aside and renamed: a reader finds the old journal or the new one. @throws LuoError `record` */
export function writeRecord(paths: AgentPaths, journal: Uint8Array): void {
  const aside = `${paths.state}.new`;
  const subject = `"${paths.state}"`;
  unlink(aside);
  const fd = check(open(aside, O_WRONLY | O_CREAT | O_EXCL | O_TRUNC | O_CLOEXEC, 0o600), "record", subject);
  try {
    for (let at = 0; at < journal.length;) at += check(write(fd, journal.subarray(at)), "record", subject);
    check(rename(aside, paths.state), "record", subject);
  } catch (error) {
    // On a full disk it would take the room that the next attempt needs.
    unlink(aside);
    throw error;
  } finally {
    close(fd);
  }
}
