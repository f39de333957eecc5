/** ffi/abi/ioctl_memory.ts gives the same structs as the codecs, whatever struct was there before. */
import assert from "node:assert/strict";
import { IoctlMemory } from "../../ffi/abi/ioctl_memory.ts";
import { decodeFd, encodeFd, encodeFinish, encodeSession } from "../../ffi/abi/liveupdate.ts";

const ROWS: readonly [what: string, reused: (memory: IoctlMemory) => Uint8Array, alone: Uint8Array][] = [
  ["a long name", (memory) => memory.encodeSession("x".repeat(63)), encodeSession("x".repeat(63))],
  ["a short name", (memory) => memory.encodeSession("vm"), encodeSession("vm")],
  ["a name that is not ASCII", (memory) => memory.encodeSession("größe"), encodeSession("größe")],
  ["the largest token", (memory) => memory.encodeFd(2n ** 64n - 1n, 7), encodeFd(2n ** 64n - 1n, 7)],
  ["the end of a session", (memory) => memory.encodeFinish(), encodeFinish()],
  ["a small token, no fd", (memory) => memory.encodeFd(0n), encodeFd(0n)],
];

for (const [what, reused, alone] of ROWS) {
  Deno.test(`the struct of ${what} is the same in memory that had another`, () => {
    const memory = new IoctlMemory();
    for (const [, other] of ROWS) {
      other(memory);
      const argument = reused(memory);
      assert.deepEqual([...argument], [...alone]);
      assert.equal(memory.decodeFd(), decodeFd(argument));
    }
  });
}
