/** The manifest: the agent's memory across the kexec, and how it is written and read. */
import { crc32 } from "node:zlib";
import { MFD_ALLOW_SEALING, MFD_CLOEXEC, MFD_EXEC } from "../../ffi/abi/fcntl.ts";
import { check, LuoError } from "../error.ts";
import { Fd } from "../fd.ts";
import { encodeEntry, type JournalBytes, readEntries } from "./journal_log.ts";
import type { Stat, SystemCalls } from "../system_calls.ts";
import type { IncomingSession, OutgoingSession } from "../session.ts";

/**
 * The session with the manifest's memfds. Nothing tells the agent when a kexec comes, so the manifest is right at every
 * moment. docs/decisions/journal.md has the whole layout and its reasons.
 *
 * A memfd holds two slots, each half of it. A slot is a checkpoint and the log of changes since then. Checkpoints are written to the
 * slots in turn: one that the kexec interrupts leaves the other slot whole. An entry of the log that the kexec interrupts is ignored.
 *
 * Little endian: u32 magic @0; u32 version @4; u64 sequence @8; u32 length @16; u32 crc @20 (CRC-32 of bytes 8 to 19 and of the
 * payload); payload @24, JSON in UTF-8; the log after it, when the version is 2. The valid slot with the highest sequence in the
 * memfd under the largest token counts.
 *
 * A preserved memfd cannot grow. When the payload outgrows it, a larger memfd is preserved under the next token (0, 1, 2 ...).
 */
export const MANIFEST_SESSION = "luo-agent";

/** The session with the values of `luo put`, in memfds of the same form. */
export const VALUES_SESSION = "luo-values";

const MAGIC = 0x4d4f554c;
/** A checkpoint alone. Agents of 0.1.0 know only this one. */
const VERSION = 1;
/** A checkpoint with a log after it: an agent that does not know it must not take the checkpoint for the last word. */
const VERSION_WITH_LOG = 2;
const HEADER = 24;
const FIRST_SLOT = 32 * 1024;
/** The largest memfd that is read, in bytes. 10,000 sessions with 10 files each need a tenth of it. */
const PAYLOAD_MAX = 1 << 30;

/** Each memfd is at least twice as large as the one before, or the first of another agent: tokens are hardly larger. */
const TOKEN_MAX = 4096n;

export function encodeSlot(sequence: bigint, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, VERSION, true);
  view.setBigUint64(8, sequence, true);
  view.setUint32(16, payload.length, true);
  bytes.set(payload, HEADER);
  view.setUint32(20, crc32(payload, crc32(bytes.subarray(8, 20))), true);
  return bytes;
}

export interface Slot extends JournalBytes {
  readonly sequence: bigint;
}

/** Undefined for bytes that are not a completely written slot. */
export function decodeSlot(bytes: Uint8Array): Slot | undefined {
  if (bytes.length < HEADER) return;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = view.getUint32(4, true);
  if (view.getUint32(0, true) !== MAGIC || version < VERSION || version > VERSION_WITH_LOG) return;
  const length = view.getUint32(16, true);
  if (length > bytes.length - HEADER) return;
  const payload = bytes.subarray(HEADER, HEADER + length);
  const crc = view.getUint32(20, true);
  if (crc !== crc32(payload, crc32(bytes.subarray(8, 20)))) return;
  const entries = version === VERSION ? [] : readEntries(crc, bytes.subarray(HEADER + length));
  return entries === undefined ? undefined : { sequence: view.getBigUint64(8, true), payload, entries };
}

/** The newer of the two slots of a memfd's contents. */
export function newestSlot(contents: Uint8Array): Slot | undefined {
  const half = contents.length >> 1;
  return newer(decodeSlot(contents.subarray(0, half)), decodeSlot(contents.subarray(half)));
}

function newer(one: Slot | undefined, other: Slot | undefined): Slot | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return one.sequence > other.sequence ? one : other;
}

/** Writes the manifest into an outgoing session. */
export class ManifestWriter {
  #sequence = 0n;
  #token: bigint;
  #memfd: Fd | undefined;
  #slot_size = FIRST_SLOT;
  /** The slot that was written last, 0 or 1. */
  #slot = 1;
  /** Where the log of that slot ends, its entries, and their seed. Undefined: the slot is in doubt, and takes no entry. */
  #log: { end: number; count: number; readonly seed: number } | undefined;

  readonly #first: bigint;
  readonly #adopted: boolean;

  /**
   * @param first the token of the first memfd
   * @param adopted an earlier agent has written into the session: its memfds are out of reach, and newer ones count
   */
  constructor(readonly session: OutgoingSession, first = 0n, adopted = false) {
    this.#token = first;
    this.#first = first;
    this.#adopted = adopted;
  }

  /** Whether changes follow the checkpoint that was written last; undefined: the slot is in doubt. */
  get hasLog(): boolean | undefined {
    return this.#log && this.#log.count > 0;
  }

  /** Writes a checkpoint. @throws LuoError `memfd_create`, `ftruncate`, `write`, `preserve`: the old content is still whole then */
  write(payload: Uint8Array): void {
    this.#log = undefined;
    let slot = encodeSlot(this.#sequence + 1n, payload);
    if (this.#memfd === undefined || slot.length > this.#slot_size) slot = this.#begin(payload, slot.length);
    else writeAll(this.#memfd, slot, BigInt((1 - this.#slot) * this.#slot_size));
    this.#slot = 1 - this.#slot;
    this.#sequence++;
    this.#log = { end: slot.length, count: 0, seed: new DataView(slot.buffer).getUint32(20, true) };
  }

  /**
   * Adds a change to the log. False: there is no room for it, and nothing was written.
   *
   * @throws LuoError `write`: the old content is still whole then, and the next write must be a checkpoint
   */
  append(payload: Uint8Array): boolean {
    const log = this.#log;
    if (this.#memfd === undefined || log === undefined) return false;
    const entry = encodeEntry(log.seed, log.count, payload);
    if (log.end + entry.length > this.#slot_size) return false;
    this.#log = undefined;
    const start = this.#slot * this.#slot_size;
    if (log.count === 0) this.#leaveVersion1(this.#memfd, start);
    writeAll(this.#memfd, entry, BigInt(start + log.end));
    this.#log = { ...log, end: log.end + entry.length, count: log.count + 1 };
    return true;
  }

  /**
   * From now on the slot has a log. The other slot is older than that log and must not count any more, neither for an agent of
   * 0.1.0, which does not read logs, nor for one that finds this slot damaged.
   */
  #leaveVersion1(memfd: Fd, start: number): void {
    writeAll(memfd, NO_HEADER, BigInt(this.#slot_size - start));
    writeAll(memfd, Uint8Array.of(VERSION_WITH_LOG), BigInt(start + 4));
  }

  /** Preserves a larger memfd after the slot is in it: the next kernel never finds an empty one. */
  #begin(payload: Uint8Array, length: number): Uint8Array {
    let size = this.#slot_size;
    // Room for a log, so that a checkpoint is not soon due again.
    while (size < length + (length >> 2)) size *= 2;
    const { sys } = this.session.fd;
    const flags = MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC;
    const memfd = Fd.of(sys, sys.memfd_create("luo-manifest", flags), "memfd_create", "the manifest");
    let slot: Uint8Array;
    try {
      check(sys.ftruncate(memfd.number, BigInt(2 * size)), "ftruncate", "the manifest");
      slot = this.#preserve(memfd, payload);
    } catch (error) {
      memfd.close();
      throw error;
    }
    const [old, old_size] = [this.#memfd, this.#slot_size];
    [this.#memfd, this.#slot_size, this.#token, this.#slot] = [memfd, size, this.#token + 1n, 1];
    if (old === undefined) return slot;
    // The slots of the old memfd must not count any more, as in `#leaveVersion1`. While they do, the new one is the newer.
    for (const start of [0, old_size]) old.sys.pwrite(old.number, NO_HEADER, BigInt(start));
    old.close();
    return slot;
  }

  #preserve(memfd: Fd, payload: Uint8Array): Uint8Array {
    for (;;) {
      const slot = encodeSlot(this.#sequence + 1n, payload);
      writeAll(memfd, slot, 0n);
      try {
        this.session.preserve(memfd, this.#token);
        return slot;
      } catch (error) {
        if (!(this.#adopted && error instanceof LuoError && error.is("EEXIST"))) throw error;
        // A memfd of an earlier agent has this token. What is written here is newer than all memfds under smaller tokens.
        this.#token++;
        this.#sequence = (this.#token - this.#first) << 32n;
      }
    }
  }
}

/** All of a header: the first bytes of a later checkpoint must not make an old one whole again. */
const NO_HEADER = new Uint8Array(HEADER);

function writeAll({ sys, number }: Fd, bytes: Uint8Array, offset: bigint): void {
  for (let at = 0; at < bytes.length;) {
    at += check(sys.pwrite(number, bytes.subarray(at), offset + BigInt(at)), "write", "the manifest");
  }
}

/**
 * What the previous kernel's agent wrote last, to the memfds from the token `first` on. An empty payload: no slot is whole. Undefined: no slot was ever written, because
 * the kexec came while that agent was starting.
 */
export function readManifest(session: IncomingSession, first = 0n): JournalBytes | undefined {
  // The memfd under the largest token is the newest, and has a whole slot from the moment when it was preserved.
  let last: Slot | undefined;
  for (let token = first;; token++) {
    const contents = readMemfd(session, token, first + TOKEN_MAX);
    if (contents === undefined) return last ?? (token === first ? undefined : NOTHING);
    last = newestSlot(contents);
  }
}

/** The memfds of the record of a live update. It is written while workloads stand still, so it is apart from the journal. */
export const UPDATE_TOKEN = 1n << 32n;

const NOTHING: JournalBytes = { payload: new Uint8Array(0), entries: [] };

function readMemfd(session: IncomingSession, token: bigint, last: bigint): Uint8Array | undefined {
  try {
    using file = session.restore(token);
    return readWhole(file.sys, file.number);
  } catch (error) {
    if (!(error instanceof LuoError)) throw error;
    // A memfd that cannot be read (ENOMEM sticks to its token) counts as damaged. Memfds under other tokens may be whole.
    return error.is("ENOENT") || token > last ? undefined : new Uint8Array(0);
  }
}

function readWhole(sys: SystemCalls, fd: number): Uint8Array {
  const { size } = check<Stat>(sys.fstat(fd), "fstat", "the manifest");
  if (size > BigInt(PAYLOAD_MAX)) return new Uint8Array(0);
  const bytes = new Uint8Array(Number(size));
  let at = 0;
  while (at < bytes.length) {
    const got = check(sys.pread(fd, bytes.subarray(at), BigInt(at)), "read", "the manifest");
    if (got === 0) break;
    at += got;
  }
  return bytes.subarray(0, at);
}
