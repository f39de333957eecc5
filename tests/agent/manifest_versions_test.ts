/** The manifest of a real agent of 0.1.0, read by this version. */
import assert from "node:assert/strict";
import { afterKexec, decodeJournal } from "../../lib/agent/journal.ts";
import { newestSlot } from "../../lib/agent/manifest.ts";
import { NEWER, OLDER, SLOT_BYTES } from "./manifest_of_version1.ts";

/** The memfd as the next kernel has it. */
function memfd(newer: Uint8Array): Uint8Array {
  const contents = new Uint8Array(2 * SLOT_BYTES);
  contents.set(newer);
  contents.set(OLDER, SLOT_BYTES);
  return contents;
}

function read(contents: Uint8Array) {
  const slot = newestSlot(contents) ?? assert.fail("no slot is whole");
  return decodeJournal(slot) ?? assert.fail("it is no journal");
}

Deno.test("a manifest of 0.1.0: all sessions and files wait, and nothing is lost", () => {
  const journal = read(memfd(NEWER));
  assert.equal(journal.image?.release, "7.3.4-standin");
  const { waiting, doubtful, losses } = afterKexec(journal, "2026-01-01T00:00:00.000Z");
  assert.deepEqual([doubtful, losses], [[], []]);
  assert.deepEqual(waiting.map(({ name, state }) => `${name} ${state}`), ["vm1 incoming", "empty incoming"]);
  const [file] = waiting[0]?.files ?? [];
  assert.equal(file?.digest, "sha256:f0671e6b6ff8e9628cf27dcd0e4ec31dd822c6dec0a99c191fbef86c1cdf4f56");
  assert.deepEqual([file?.token, file?.label, file?.size, file?.state], ["7", "state", 5120, "waiting"]);
});

Deno.test("a manifest of 0.1.0 whose last write was torn at any byte: the write before it counts", () => {
  for (let length = 0; length < NEWER.length; length++) {
    const journal = read(memfd(NEWER.subarray(0, length)));
    assert.deepEqual(journal.sessions.map(({ name }) => name), ["vm1", "empty"]);
    assert.equal(journal.image, undefined);
  }
});
