/** ffi/abi/liveupdate.ts: request numbers and structs of /dev/liveupdate. */
import assert from "node:assert/strict";
import * as abi from "../../ffi/abi/liveupdate.ts";

/** The six ioctls of `include/uapi/linux/liveupdate.h`, as literals and not by the constants under test. */
const TABLE = [
  { name: "CREATE_SESSION", number: abi.LIVEUPDATE_IOCTL_CREATE_SESSION, value: 0xBA00 },
  { name: "RETRIEVE_SESSION", number: abi.LIVEUPDATE_IOCTL_RETRIEVE_SESSION, value: 0xBA01 },
  { name: "SESSION_PRESERVE_FD", number: abi.LIVEUPDATE_SESSION_PRESERVE_FD, value: 0xBA40 },
  { name: "SESSION_RETRIEVE_FD", number: abi.LIVEUPDATE_SESSION_RETRIEVE_FD, value: 0xBA41 },
  { name: "SESSION_FINISH", number: abi.LIVEUPDATE_SESSION_FINISH, value: 0xBA42 },
  { name: "SESSION_GET_NAME", number: abi.LIVEUPDATE_SESSION_GET_NAME, value: 0xBA43 },
];

for (const { name, number, value } of TABLE) {
  Deno.test(`${name} has the number 0x${value.toString(16)}`, () => assert.equal(number, value));
}

Deno.test("a session struct has size at 0, fd at 4 and 64 bytes of name at 8", () => {
  const bytes = abi.encodeSession("vm");
  assert.equal(bytes.length, 72);
  assert.deepEqual([...bytes.subarray(0, 12)], [72, 0, 0, 0, 255, 255, 255, 255, 118, 109, 0, 0]);
  assert.ok(bytes.subarray(12).every((byte) => byte === 0));
});

Deno.test("an fd struct has size at 0, fd at 4 and token at 8", () => {
  const bytes = abi.encodeFd(0x1122334455667788n, 0x01020304);
  assert.deepEqual([...bytes], [16, 0, 0, 0, 4, 3, 2, 1, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11]);
});

Deno.test("the smallest and the largest token are encoded", () => {
  assert.ok(abi.encodeFd(0n).subarray(8).every((byte) => byte === 0));
  assert.ok(abi.encodeFd(0xffffffffffffffffn).subarray(8).every((byte) => byte === 255));
});

Deno.test("a finish struct has size and a reserved zero", () => {
  assert.deepEqual([...abi.encodeFinish()], [8, 0, 0, 0, 0, 0, 0, 0]);
});

Deno.test("a get_name struct has size, a reserved zero and room for the name", () => {
  const bytes = abi.encodeGetName();
  assert.equal(bytes.length, 72);
  assert.deepEqual([...bytes.subarray(0, 8)], [72, 0, 0, 0, 0, 0, 0, 0]);
  bytes.set([0x61, 0xff, 0, 0x62], 8);
  assert.deepEqual([...abi.decodeName(bytes)], [0x61, 0xff]);
});

Deno.test("a name of 64 or more bytes fills the field without a NUL", () => {
  assert.deepEqual(abi.decodeName(abi.encodeSession("x".repeat(64))).length, 64);
  assert.deepEqual(abi.decodeName(abi.encodeSession("x".repeat(99))).length, 64);
});

Deno.test("the fd that the kernel wrote is decoded", () => {
  const bytes = new Uint8Array(72);
  bytes.set([0x39, 0x30, 0, 0], 4);
  assert.equal(abi.decodeFd(bytes), 12345);
  assert.equal(abi.decodeFd(abi.encodeFd(0n, -1)), -1);
});
