/** The manifest as an agent of 0.1.0 reads it. */
import assert from "node:assert/strict";
import { crc32 } from "node:zlib";
import { decodeJournal } from "../../lib/agent/journal.ts";
import { MANIFEST_SESSION } from "../../lib/agent/manifest.ts";
import { LuoError } from "../../lib/error.ts";
import type { Machine } from "../../lib/model/machine.ts";
import { openDevice } from "../../lib/session.ts";
import type { Stat } from "../../lib/system_calls.ts";
import { content } from "./journal_steps.ts";

/** 0.1.0's reading of one slot, as it was. */
function slotOfVersion1(bytes: Uint8Array): { sequence: bigint; payload: Uint8Array } | undefined {
  if (bytes.length < 24) return;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== 0x4d4f554c || view.getUint32(4, true) !== 1) return;
  const length = view.getUint32(16, true);
  if (length > bytes.length - 24) return;
  const payload = bytes.subarray(24, 24 + length);
  if (view.getUint32(20, true) !== crc32(payload, crc32(bytes.subarray(8, 20)))) return;
  return { sequence: view.getBigUint64(8, true), payload };
}

/** What an agent of 0.1.0 finds after the kexec: the sessions of the newest slot that it can read. */
export function readByVersion1(machine: Machine): string[] | undefined {
  const sys = machine.init();
  const session = openDevice(sys).retrieve(MANIFEST_SESSION);
  let newest: { sequence: bigint; payload: Uint8Array } | undefined;
  for (let token = 0n;; token++) {
    let bytes: Uint8Array;
    try {
      const file = session.restore(token);
      bytes = new Uint8Array(Number((sys.fstat(file.number) as Stat).size));
      sys.pread(file.number, bytes, 0n);
    } catch (error) {
      assert.ok(error instanceof LuoError && error.is("ENOENT"));
      break;
    }
    const half = bytes.length >> 1;
    for (const slot of [bytes.subarray(0, half), bytes.subarray(half)].map(slotOfVersion1)) {
      if (slot !== undefined && slot.sequence > (newest?.sequence ?? -1n)) newest = slot;
    }
  }
  const journal = newest && decodeJournal({ payload: newest.payload, entries: [] });
  return journal && content(journal.sessions);
}
