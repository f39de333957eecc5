/** ffi/abi/os_text.ts: bytes of paths and arguments as strings and back. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeOsText, encodeOsText } from "../../ffi/abi/os_text.ts";

const texts: readonly [name: string, bytes: readonly number[], text: string][] = [
  ["ASCII", [0x61], "a"],
  ["UTF-8", [0xe6, 0x97, 0xa5], "日"],
  ["a byte order mark", [0xef, 0xbb, 0xbf, 0x61], "\ufeffa"],
  ["a replacement character that was typed", [0xef, 0xbf, 0xbd], "\ufffd"],
  ["a byte that is no UTF-8", [0x70, 0xff], "p\udcff"],
  ["a sequence that was cut off", [0xe6, 0x97], "\udce6\udc97"],
  ["a surrogate in UTF-8", [0xed, 0xa0, 0x80], "\udced\udca0\udc80"],
  ["a letter after a broken sequence", [0xc3, 0x61], "\udcc3a"],
];
for (const [name, bytes, text] of texts) {
  Deno.test(`OS text decodes and encodes ${name}`, () => {
    assert.equal(decodeOsText(Uint8Array.from(bytes)), text);
    assert.deepEqual([...encodeOsText(text)], [...bytes]);
  });
}

Deno.test("OS text keeps any bytes", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 50 }), (bytes) => {
    assert.deepEqual([...encodeOsText(decodeOsText(bytes))], [...bytes]);
  }));
});
