/** ffi/memory.ts: mappings, guarded memory and the process's own memory. */
import assert from "node:assert/strict";
import { Errno } from "../../ffi/abi/errno.ts";
import * as abi from "../../ffi/abi/fcntl.ts";
import { KEXEC_FILE_UNLOAD } from "../../ffi/abi/kexec.ts";
import { close, memfd_create, pipe2, write } from "../../ffi/file.ts";
import { GuardedMemory, load, madvise, mmap, mprotect, munmap, store } from "../../ffi/memory.ts";
import { ioctl, kexec_file_load, reboot, uname } from "../../ffi/system.ts";

const FIONREAD = 0x541b;

function readable(): [number, number] {
  const ends = pipe2(0);
  assert.ok(typeof ends !== "number");
  write(ends[1], new Uint8Array(7));
  return ends;
}

Deno.test("a mapping is written, read, punched by MADV_REMOVE and unmapped", () => {
  const fd = memfd_create("x", abi.MFD_CLOEXEC);
  write(fd, new Uint8Array(4096));
  const address = mmap(4096n, abi.PROT_READ | abi.PROT_WRITE, abi.MAP_SHARED, fd, 0n);
  assert.ok(address > 0n);
  store(address + 4n, new Uint8Array([1, 2, 3]));
  const into = new Uint8Array(4);
  load(address + 3n, into);
  assert.deepEqual([...into], [0, 1, 2, 3]);
  assert.equal(madvise(address, 4096n, abi.MADV_REMOVE), 0);
  load(address + 3n, into);
  assert.deepEqual([...into], [0, 0, 0, 0]);
  assert.equal(munmap(address, 4096n), 0);
  close(fd);
});

Deno.test("calls on mappings give the errno of a bad argument", () => {
  assert.equal(mmap(4096n, abi.PROT_READ, abi.MAP_SHARED, 1 << 20, 0n), BigInt(-Errno.EBADF));
  assert.equal(mmap(0n, abi.PROT_READ, abi.MAP_PRIVATE | abi.MAP_ANONYMOUS, -1, 0n), BigInt(-Errno.EINVAL));
  assert.equal(munmap(1n, 1n), -Errno.EINVAL);
  assert.equal(mprotect(1n, 1n, 0), -Errno.EINVAL);
  assert.equal(madvise(0n, 4096n, 9999), -Errno.EINVAL);
});

for (const size of [1, 4, 4095, 4096, 4097, 100_000]) {
  Deno.test(`guarded memory of ${size} bytes ends at the end of a page`, () => {
    const bytes = new Uint8Array(size).fill(7);
    using memory = new GuardedMemory({ bytes, writable: true });
    assert.equal((memory.address + BigInt(size)) % 4096n, 0n);
    const into = new Uint8Array(size);
    load(memory.address, into);
    assert.deepEqual(into, bytes);
  });
}

Deno.test("the bytes that the kernel writes into guarded memory are copied back", () => {
  const [r, w] = readable();
  const bytes = new Uint8Array(4);
  assert.equal(ioctl(r, FIONREAD, { bytes, writable: true }), 0);
  assert.deepEqual([...bytes], [7, 0, 0, 0]);
  close(r);
  close(w);
});

for (
  const [what, pointer] of [
    ["memory one byte too short", { bytes: new Uint8Array(3), writable: true }],
    ["no memory at all", { bytes: new Uint8Array(0), writable: true }],
    ["read-only memory", { bytes: new Uint8Array(4), writable: false }],
    ["the null pointer", null],
  ] as const
) {
  Deno.test(`an answer into ${what} is EFAULT`, () => {
    const [r, w] = readable();
    assert.equal(ioctl(r, FIONREAD, pointer), -Errno.EFAULT);
    close(r);
    close(w);
  });
}

Deno.test("the kernel writes into a plain array", () => {
  const [r, w] = readable();
  const bytes = new Uint8Array(4);
  assert.equal(ioctl(r, FIONREAD, bytes), 0);
  assert.equal(bytes[0], 7);
  close(r);
  close(w);
});

Deno.test("an unknown ioctl is ENOTTY", () => {
  const [r, w] = readable();
  assert.equal(ioctl(r, 0xBA00, new Uint8Array(72)), -Errno.ENOTTY);
  close(r);
  close(w);
});

Deno.test("uname gives the system and its release", () => {
  const name = uname();
  assert.equal(name.sysname, "Linux");
  assert.ok(/^\d+\.\d+/.test(name.release));
});

Deno.test("kexec_file_load and reboot refuse unknown flags and commands", () => {
  // EINVAL with the privilege, EPERM without it. The kernel does nothing in either case.
  const refused = [-Errno.EINVAL, -Errno.EPERM, -Errno.ENOSYS];
  assert.ok(refused.includes(kexec_file_load(-1, -1, 0n, null, 1n << 40n)));
  assert.ok(
    refused.includes(kexec_file_load(-1, -1, 1n, new Uint8Array(1), BigInt(KEXEC_FILE_UNLOAD) | 1n << 40n)),
  );
  assert.ok(refused.includes(reboot(0x12345)));
});
