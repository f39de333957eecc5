/** ffi/abi: flags, structs and numbers of both architectures. */
import assert from "node:assert/strict";
import * as fc from "fast-check";
import { AARCH64, archOf, translateOpenFlags, X86_64 } from "../../ffi/abi/arch.ts";
import { decodeEpollEvents, encodeEpollEvent } from "../../ffi/abi/epoll.ts";
import { errnoName } from "../../ffi/abi/errno.ts";
import * as fcntl from "../../ffi/abi/fcntl.ts";
import {
  controlSize,
  decodeRights,
  encodeMessageHeader,
  encodeRights,
  encodeUnixAddress,
} from "../../ffi/abi/socket.ts";

Deno.test("the flags of fcntl.ts are those of x86-64", () => {
  assert.equal(fcntl.O_DIRECTORY, X86_64.O_DIRECTORY);
  assert.equal(fcntl.O_NOFOLLOW, X86_64.O_NOFOLLOW);
  assert.equal(fcntl.O_LARGEFILE, X86_64.O_LARGEFILE);
});

Deno.test("open flags have the numbers of aarch64 on aarch64", () => {
  const onArm = (flags: number) => translateOpenFlags(flags, X86_64, AARCH64);
  assert.equal(onArm(fcntl.O_DIRECTORY), 0o40000);
  assert.equal(onArm(fcntl.O_NOFOLLOW), 0o100000);
  assert.equal(onArm(fcntl.O_LARGEFILE), 0o400000);
  assert.equal(onArm(fcntl.O_TMPFILE), 0o20040000);
  assert.equal(onArm(fcntl.O_RDWR | fcntl.O_CLOEXEC), fcntl.O_RDWR | fcntl.O_CLOEXEC);
});

Deno.test("open flags are the same after a translation to aarch64 and back", () => {
  fc.assert(fc.property(fc.nat(0o37777777), (flags) => {
    assert.equal(translateOpenFlags(translateOpenFlags(flags, X86_64, AARCH64), AARCH64, X86_64), flags);
  }));
});

Deno.test("kexec_file_load has another number on each architecture", () => {
  assert.equal(archOf("x86_64").kexec_file_load, 320);
  assert.equal(archOf("aarch64").kexec_file_load, 294);
});

for (const [name, arch, size] of [["x86-64", X86_64, 12], ["aarch64", AARCH64, 16]] as const) {
  Deno.test(`an epoll event on ${name} has ${size} bytes and decodes to itself`, () => {
    const one = encodeEpollEvent({ fd: 7, events: 0x80000001 }, arch);
    assert.equal(one.length, size);
    assert.deepEqual(decodeEpollEvents(one, 1, arch), [{ fd: 7, events: 0x80000001 }]);
  });
}

Deno.test("an errno without a name keeps its number", () => {
  assert.equal(errnoName(-16), "EBUSY");
  assert.equal(errnoName(999), "errno 999");
});

Deno.test("a socket address holds a path of 107 bytes and no longer one", () => {
  assert.equal(encodeUnixAddress("x".repeat(107))?.length, 110);
  assert.equal(encodeUnixAddress("x".repeat(108)), undefined);
  assert.equal(encodeUnixAddress("ä".repeat(54)), undefined);
});

Deno.test("encoded fds decode to themselves, and a control message that is cut off has none", () => {
  fc.assert(fc.property(fc.array(fc.nat(0x7fffffff), { maxLength: 253 }), (fds) => {
    const bytes = encodeRights(fds);
    assert.equal(bytes.length, controlSize(fds.length));
    assert.deepEqual(decodeRights(bytes, bytes.length), fds);
    assert.deepEqual(decodeRights(bytes, 15), []);
  }));
});

Deno.test("a message header has iov at byte 16 and control at byte 32", () => {
  const view = new DataView(encodeMessageHeader({ iov: 5n, control: 6n, controlLength: 24 }).buffer);
  assert.equal(view.byteLength, 56);
  assert.deepEqual([16, 24, 32, 40].map((at) => view.getBigUint64(at, true)), [5n, 1n, 6n, 24n]);
});
