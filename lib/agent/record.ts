/** The record: the agent's file beside its socket, with the journal for the next agent of the same boot. */
import { Errno } from "../../ffi/abi/errno.ts";
import { O_CLOEXEC, O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY, O_TRUNC, O_WRONLY } from "../../ffi/abi/fcntl.ts";
import { close, fstat, open, pwrite, read, rename, unlink, write } from "../../ffi/file.ts";
import { check } from "../error.ts";
import type { Stat } from "../system_calls.ts";
import type { AgentPaths } from "./agent_place.ts";
import { decodeJournal, type Journal } from "./journal.ts";

/** The journal in the record. Undefined: there is no record. `"damaged"`: it cannot be read, or it is no journal. */
export function readRecord(paths: AgentPaths): Journal | "damaged" | undefined {
  const fd = open(paths.state, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return fd === -Errno.ENOENT ? undefined : "damaged";
  const stat = fstat(fd);
  const bytes = new Uint8Array(typeof stat === "number" ? 0 : Number(stat.size));
  let at = 0;
  for (let got = 1; got > 0 && at < bytes.length; at += Math.max(got, 0)) got = read(fd, bytes.subarray(at));
  close(fd);
  return decodeJournal(bytes.subarray(0, at)) ?? "damaged";
}

/** Keeps a damaged record for people, before the next one is written. */
export function setAsideRecord(paths: AgentPaths): void {
  rename(paths.state, paths.damaged);
}

/**
 * Writes the journal to a file aside and renames it: a reader finds the old journal or the new one.
 *
 * @throws LuoError `record`
 */
export function writeRecord(paths: AgentPaths, journal: Uint8Array): void {
  const bytes = padded(journal);
  const aside = `${paths.state}.new`;
  const subject = `"${paths.state}"`;
  unlink(aside);
  const fd = check(open(aside, O_WRONLY | O_CREAT | O_EXCL | O_TRUNC | O_CLOEXEC, 0o600), "record", subject);
  try {
    for (let at = 0; at < bytes.length;) at += check(write(fd, bytes.subarray(at)), "record", subject);
    check(rename(aside, paths.state), "record", subject);
  } catch (error) {
    // On a full disk the unfinished file would take the room that the next attempt needs.
    unlink(aside);
    throw error;
  } finally {
    close(fd);
  }
}

/** At least this many spaces follow the journal: room for what the next kernel's agent adds. */
const SPARE_BYTES = 1024;
const BLOCK_BYTES = 4096;

/** JSON with spaces after it. On a full disk the file can then be overwritten in place, see `overwriteRecord`. */
function padded(journal: Uint8Array): Uint8Array {
  const blocks = Math.ceil((journal.length + SPARE_BYTES) / BLOCK_BYTES);
  const bytes = new Uint8Array(blocks * BLOCK_BYTES).fill(" ".charCodeAt(0));
  bytes.set(journal);
  return bytes;
}

/**
 * Overwrites a record that is of another boot: on a full disk there is room in the blocks that the file has already. False:
 * the journal does not fit, and the file is as it was.
 *
 * @throws LuoError `record`
 */
export function overwriteRecord(paths: AgentPaths, journal: Uint8Array): boolean {
  const subject = `"${paths.state}"`;
  const fd = open(paths.state, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return false;
  try {
    const { size } = check<Stat>(fstat(fd), "record", subject);
    if (journal.length > size) return false;
    const bytes = new Uint8Array(Number(size)).fill(" ".charCodeAt(0));
    bytes.set(journal);
    for (let at = 0; at < bytes.length;) {
      at += check(pwrite(fd, bytes.subarray(at), BigInt(at)), "record", subject);
    }
    return true;
  } finally {
    close(fd);
  }
}
