/** Entries of the journal's log: torn ends, damage, and bytes of others. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { encodeEntry, readEntries } from "../../lib/agent/journal_log.ts";

const text = (word: string) => new TextEncoder().encode(word);
const words = (entries: readonly Uint8Array[] | undefined) =>
  entries?.map((entry) => new TextDecoder().decode(entry));

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

const SEED = 12345;
const log = joined(...["one", "", "three"].map((word, index) => encodeEntry(SEED, index, text(word))));

Deno.test("log: a write torn at any byte leaves the entries before it", () => {
  const ends = [19, 35, 56];
  assert.equal(log.length, ends.at(-1));
  for (let written = 0; written <= log.length; written++) {
    const memory = new Uint8Array(log.length + 100);
    memory.set(log.subarray(0, written));
    const whole = ends.filter((end) => end <= written).length;
    assert.deepEqual(
      words(readEntries(SEED, memory)),
      ["one", "", "three"].slice(0, whole),
      `${written} bytes`,
    );
    assert.deepEqual(readEntries(SEED, memory), readEntries(SEED, log.subarray(0, written)));
  }
});

Deno.test("log: a changed byte before the last entry is damage, in the last one the end", () => {
  for (let at = 0; at < log.length; at++) {
    const memory = Uint8Array.from(log);
    memory[at] = (memory[at] ?? 0) ^ 0x20;
    assert.deepEqual(words(readEntries(SEED, memory)), at < 35 ? undefined : ["one", ""], `byte ${at}`);
  }
});

Deno.test("log: entries of another checkpoint, noise and repeated entries are not taken", () => {
  assert.deepEqual(readEntries(SEED + 1, log), []);
  const first = encodeEntry(SEED, 0, text("new"));
  const old = encodeEntry(SEED + 1, 1, text("old"));
  assert.deepEqual(words(readEntries(SEED, joined(first, old))), ["new"]);
  fc.assert(fc.property(fc.uint8Array(), (noise) => assert.deepEqual(readEntries(SEED, noise), [])));
});
