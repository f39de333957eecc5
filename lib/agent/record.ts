/** The record: the agent's file beside its socket, with the journal for the next agent of the same boot. */
import { Errno } from "../../ffi/abi/errno.ts";
import { O_CLOEXEC, O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY, O_TRUNC, O_WRONLY } from "../../ffi/abi/fcntl.ts";
import { close, fstat, lstat, open, pwrite, read, rename, unlink, write } from "../../ffi/file.ts";
import { crc32 } from "node:zlib";
import { check } from "../error.ts";
import type { Stat } from "../system_calls.ts";
import type { AgentPaths } from "./agent_place.ts";
import { decodeJournal, type Journal } from "./journal.ts";
import { encodeEntry, type JournalBytes, readEntries } from "./journal_log.ts";

/** The paths of a record. */
export type RecordPaths = Pick<AgentPaths, "state" | "damaged">;

/**
 * The journal in the record. Undefined: there is no record. `"damaged"`: it cannot be read, or it is no journal.
 *
 * The record is JSON, spaces, and the log of changes since then. JSON has no zero byte, and each entry begins with one. An agent of
 * 0.1.0 takes a record with a log for damaged: better than taking it for the last word.
 */
export function readRecord(paths: AgentPaths): Journal | "damaged" | undefined {
  const bytes = readRecordBytes(paths.state);
  return bytes instanceof Uint8Array ? decodeRecord(bytes) ?? "damaged" : bytes;
}

/** The bytes of a record. Undefined: there is none. `"damaged"`: it cannot be read. */
export function readRecordBytes(path: string): Uint8Array | "damaged" | undefined {
  const fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return fd === -Errno.ENOENT ? undefined : "damaged";
  const stat = fstat(fd);
  const bytes = new Uint8Array(typeof stat === "number" ? 0 : Number(stat.size));
  let at = 0;
  for (let got = 1; got > 0 && at < bytes.length; at += Math.max(got, 0)) got = read(fd, bytes.subarray(at));
  close(fd);
  return bytes.subarray(0, at);
}

/** Keeps a damaged record for people, before the next one is written. */
export function setAsideRecord(paths: RecordPaths): void {
  rename(paths.state, paths.damaged);
}

/** Undefined for bytes that are no record. */
export function decodeRecord(bytes: Uint8Array): Journal | undefined {
  const parts = splitRecord(bytes);
  return parts && decodeJournal(parts);
}

/** The checkpoint in a record, and the changes since then. Undefined: the log was damaged after it was written. */
export function splitRecord(bytes: Uint8Array): JournalBytes | undefined {
  const zero = bytes.indexOf(0);
  const log = zero < 0 ? bytes.length : zero;
  const payload = withoutSpaces(bytes.subarray(0, log));
  const entries = readEntries(crc32(payload), bytes.subarray(log));
  return entries && { payload, entries };
}

function withoutSpaces(bytes: Uint8Array): Uint8Array {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === SPACE) end--;
  return bytes.subarray(0, end);
}

const SPACE = " ".charCodeAt(0);

/** Adds changes to a record that this process wrote. The file stays open, so that no other file can get its inode's number. */
export class RecordLog implements Disposable {
  #count = 0;
  #end: number;
  readonly #limit: number;
  readonly #seed: number;

  readonly #fd: number;
  readonly #inode: bigint;

  /** Takes over `fd`, of the record with that inode and size, which this process wrote, with the journal and no log. */
  constructor(
    readonly paths: RecordPaths,
    { fd, inode, size }: { fd: number; inode: bigint; size: number },
    journal: Uint8Array,
  ) {
    this.#fd = fd;
    this.#inode = inode;
    this.#end = size;
    this.#limit = size + LOG_MIN_BYTES + (size >> 2);
    this.#seed = crc32(journal);
  }

  /**
   * False: the log is as long as it may be, or the record is another file by now. Nothing was written then.
   *
   * @throws LuoError `record`: the record is as it was for a reader, and the next write must be the whole journal
   */
  append(change: Uint8Array): boolean {
    const entry = encodeEntry(this.#seed, this.#count, change);
    if (this.#end + entry.length > this.#limit) return false;
    const now = lstat(this.paths.state);
    if (typeof now === "number" || now.ino !== this.#inode || now.size !== BigInt(this.#end)) return false;
    for (let at = 0; at < entry.length;) {
      const written = pwrite(this.#fd, entry.subarray(at), BigInt(this.#end + at));
      at += check(written, "record", `"${this.paths.state}"`);
    }
    this.#end += entry.length;
    this.#count++;
    return true;
  }

  [Symbol.dispose](): void {
    close(this.#fd);
  }
}

/** How long a log may be: this, and a quarter of the journal. */
const LOG_MIN_BYTES = 32 * 1024;

/**
 * Writes the journal to a file aside and renames it: a reader finds the old journal or the new one.
 *
 * @throws LuoError `record`
 */
export function writeRecord(paths: RecordPaths, journal: Uint8Array): RecordLog {
  const bytes = padded(journal);
  const aside = `${paths.state}.new`;
  const subject = `"${paths.state}"`;
  unlink(aside);
  const fd = check(open(aside, O_WRONLY | O_CREAT | O_EXCL | O_TRUNC | O_CLOEXEC, 0o600), "record", subject);
  try {
    for (let at = 0; at < bytes.length;) at += check(write(fd, bytes.subarray(at)), "record", subject);
    const { ino } = check<Stat>(fstat(fd), "record", subject);
    check(rename(aside, paths.state), "record", subject);
    return new RecordLog(paths, { fd, inode: ino, size: bytes.length }, journal);
  } catch (error) {
    // On a full disk the unfinished file would take the room that the next attempt needs.
    unlink(aside);
    close(fd);
    throw error;
  }
}

/** At least this many spaces follow the journal: room for what the next kernel's agent adds. */
const SPARE_BYTES = 1024;
const BLOCK_BYTES = 4096;

/** JSON with spaces after it. On a full disk the file can then be overwritten in place, see `overwriteRecord`. */
function padded(journal: Uint8Array): Uint8Array {
  const blocks = Math.ceil((journal.length + SPARE_BYTES) / BLOCK_BYTES);
  const bytes = new Uint8Array(blocks * BLOCK_BYTES).fill(SPACE);
  bytes.set(journal);
  return bytes;
}

/**
 * Overwrites a record that is of another boot: on a full disk there is room in the blocks that the file has already. False:
 * the journal does not fit, and the file is as it was.
 *
 * @throws LuoError `record`
 */
export function overwriteRecord(paths: RecordPaths, journal: Uint8Array): boolean {
  const subject = `"${paths.state}"`;
  const fd = open(paths.state, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return false;
  try {
    const { size } = check<Stat>(fstat(fd), "record", subject);
    if (journal.length > size) return false;
    const bytes = new Uint8Array(Number(size)).fill(SPACE);
    bytes.set(journal);
    for (let at = 0; at < bytes.length;) {
      at += check(pwrite(fd, bytes.subarray(at), BigInt(at)), "record", subject);
    }
    return true;
  } finally {
    close(fd);
  }
}
