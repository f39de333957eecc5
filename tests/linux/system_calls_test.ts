/** lib/linux: the seam on the Linux kernel under this process. */
import assert from "node:assert/strict";
import { Errno } from "../../ffi/abi/errno.ts";
import * as abi from "../../ffi/abi/fcntl.ts";
import { stat } from "../../ffi/file.ts";
import { linux } from "../../lib/linux/system_calls.ts";
import { openDevice } from "../../lib/session.ts";

const HAS_LUO = typeof stat("/dev/liveupdate") === "object";

Deno.test({
  name: "a host without LUO gives ENOENT for the device",
  ignore: HAS_LUO,
  fn: () => {
    using sys = linux();
    assert.equal(sys.open("/dev/liveupdate", abi.O_RDWR), -Errno.ENOENT);
    assert.throws(() => openDevice(sys), { operation: "open", code: "ENOENT" });
  },
});

Deno.test("adopt returns its fd, and expose returns a copy with FD_CLOEXEC", () => {
  using sys = linux();
  const fd = sys.memfd_create("x", abi.MFD_CLOEXEC);
  assert.equal(sys.adopt(fd), fd);
  const copy = sys.expose(fd);
  assert.notEqual(copy, fd);
  assert.equal(sys.fcntl(copy, abi.F_GETFD), abi.FD_CLOEXEC);
  assert.equal(sys.write(fd, new Uint8Array(3)), 3);
  assert.equal(sys.lseek(copy, 0n, abi.SEEK_CUR), 3n);
  assert.equal(sys.close(fd), 0);
  assert.equal(sys.close(copy), 0);
  assert.equal(sys.close(fd), -Errno.EBADF);
});

Deno.test("sockets and pipes carry bytes and fds", () => {
  using sys = linux();
  const ends = sys.socketpair();
  assert.ok(typeof ends !== "number");
  const [a, b] = ends;
  assert.equal(sys.poll(b, abi.POLLIN), 0);
  assert.equal(sys.sendmsg(a, new Uint8Array([4, 2]), [a]), 2);
  assert.equal(sys.poll(b, abi.POLLIN), abi.POLLIN);
  const into = new Uint8Array(9);
  const message = sys.recvmsg(b, into, 4);
  assert.ok(typeof message === "object");
  assert.deepEqual([message.bytes, message.fds.length, into[0], into[1]], [2, 1, 4, 2]);
  for (const fd of [a, b, ...message.fds]) sys.close(fd);
  const pipe = sys.pipe2(abi.O_CLOEXEC);
  assert.ok(typeof pipe !== "number");
  for (const fd of pipe) assert.equal(sys.close(fd), 0);
});
