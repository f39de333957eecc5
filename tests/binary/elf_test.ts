/** The ELF reader and writer of tools/binary: a segment is added, and unusual programs are refused. */
import assert from "node:assert/strict";
import { addSegment, MACHINES, segments } from "../../tools/binary/elf.ts";
import { importedAddress } from "../../tools/binary/imported.ts";

const [PT_LOAD, PT_NOTE] = [1, 4];
const HEADER_SIZE = 64;

/** A program that is only headers: one for each type, for one page of memory after the other. */
function program(types: readonly number[], machine: number = MACHINES.x86_64): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEADER_SIZE + 56 * types.length);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
  view.setUint16(18, machine, true);
  view.setBigUint64(24, 0x1234n, true);
  view.setBigUint64(32, BigInt(HEADER_SIZE), true);
  view.setUint16(54, 56, true);
  view.setUint16(56, types.length, true);
  types.forEach((type, index) => {
    const header = HEADER_SIZE + 56 * index;
    view.setUint32(header, type, true);
    view.setBigUint64(header + 16, BigInt(index) * 0x1000n, true);
    view.setBigUint64(header + 40, 0x1000n, true);
  });
  return bytes;
}

const refusals: readonly [name: string, bytes: Uint8Array, words: RegExp][] = [
  ["an empty file", new Uint8Array(0), /no 64-bit little-endian ELF/],
  ["a script", new TextEncoder().encode("#!/bin/sh\n".repeat(20)), /no 64-bit little-endian ELF/],
  ["a program for another architecture", program([PT_LOAD, PT_NOTE], MACHINES.aarch64), /not for x86_64/],
  ["a program without PT_NOTE", program([PT_LOAD]), /no PT_NOTE/],
  ["a program whose PT_NOTE is before the last PT_LOAD", program([PT_NOTE, PT_LOAD]), /no PT_NOTE/],
];
for (const [name, bytes, words] of refusals) {
  Deno.test(`no segment can be added to ${name}`, () => {
    assert.throws(() => addSegment(bytes, "x86_64", () => new Uint8Array(1)), words);
  });
}

Deno.test("the new segment is the last one, the program starts in it, and the other segments do not change", () => {
  const before = program([PT_LOAD, PT_LOAD, PT_NOTE]);
  const added = new TextEncoder().encode("added");
  let told: bigint[] = [];
  const after = addSegment(before, "x86_64", (...addresses) => {
    told = addresses;
    return added;
  });
  assert.deepEqual(told, [0x10000n, 0x1234n]);
  assert.equal(new DataView(after.buffer).getBigUint64(24, true), 0x10000n);
  const [first, second, last] = segments(after, "x86_64");
  assert.deepEqual([first, second], segments(before, "x86_64").slice(0, 2));
  assert.deepEqual([last?.type, last?.address, last?.memory_size], [PT_LOAD, 0x10000n, 5n]);
  // mmap needs an address and an offset that are equal modulo the page size.
  assert.equal((last?.offset ?? 1n) % 0x10000n, 0n);
  assert.deepEqual(after.subarray(Number(last?.offset)), added);
});

Deno.test("the address of environ is found in Deno, and that of a symbol that does not exist is not", () => {
  const deno = Deno.readFileSync(Deno.execPath());
  const target = Deno.build.arch;
  const at = importedAddress(deno, target, "environ");
  const inside = segments(deno, target).filter(({ type, address, memory_size }) =>
    type === PT_LOAD && address <= at && at < address + memory_size
  );
  assert.equal(inside.length, 1);
  assert.throws(() => importedAddress(deno, target, "no_such_thing"), /Cannot find "no_such_thing"/);
});
