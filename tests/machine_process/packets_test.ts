/** lib/machine_process/packets.ts: packets, pieces and fds over a socket. */
import assert from "node:assert/strict";
import { Errno } from "../../ffi/abi/errno.ts";
import * as abi from "../../ffi/abi/fcntl.ts";
import { SOCK_SEQPACKET } from "../../ffi/abi/socket.ts";
import { close, fstat, memfd_create, pread, write } from "../../ffi/file.ts";
import { recvmsg, sendmsg, unix_connect } from "../../ffi/socket.ts";
import { connectMachine } from "../../lib/machine_process/remote_system_calls.ts";
import { ProcessKilled } from "../../lib/system_calls.ts";
import { connect, startMachine } from "./start.ts";

Deno.test("every system call has the same answer through a machine as on Linux", async () => {
  await using machine = await startMachine("serve_linux.ts");
  using sys = connect(machine.path);
  assert.equal(sys.getpid(), 1);
  assert.equal(sys.open("/no/such/file", 0), -Errno.ENOENT);
  assert.equal(sys.close(1 << 20), -Errno.EBADF);
  assert.equal(sys.lseek(1 << 20, 0n, 0), BigInt(-Errno.EBADF));
  assert.equal(sys.fstat(1 << 20), -Errno.EBADF);
  assert.equal(sys.readlink("/"), -Errno.EINVAL);
  assert.equal(sys.uname().sysname, "Linux");
  assert.equal(sys.reboot(0), -Errno.EINVAL);
  const fd = sys.memfd_create("näme", 3);
  assert.equal(sys.readlink(`/proc/self/fd/${fd}`), "/memfd:näme (deleted)");
  assert.equal(sys.write(fd, new Uint8Array([1, 2, 3])), 3);
  assert.equal(sys.lseek(fd, -1n, abi.SEEK_END), 2n);
  assert.equal(sys.ftruncate(fd, 1n << 40n), 0);
  const stat = sys.fstat(fd);
  assert.ok(typeof stat === "object");
  assert.equal(stat.size, 1n << 40n);
  const into = new Uint8Array(5).fill(9);
  assert.equal(sys.read(fd, into), 5);
  assert.deepEqual([...into], [3, 0, 0, 0, 0]);
  assert.equal(sys.ioctl(fd, 0xba00, { bytes: new Uint8Array(72), writable: false }), -Errno.ENOTTY);
  const pipe = sys.pipe2(0);
  assert.ok(typeof pipe === "object");
  sys.write(pipe[1], new Uint8Array(6));
  const waiting = new Uint8Array(4);
  assert.equal(sys.ioctl(pipe[0], 0x541b, { bytes: waiting, writable: true }), 0);
  assert.equal(waiting[0], 6);
  assert.equal(sys.ioctl(pipe[0], 0x541b, { bytes: new Uint8Array(3), writable: true }), -Errno.EFAULT);
  assert.equal(sys.poll(pipe[0], abi.POLLIN), abi.POLLIN);
  const address = sys.mmap(8192n, 3, abi.MAP_PRIVATE | abi.MAP_ANONYMOUS, -1, 0n);
  sys.store(address + 8190n, new Uint8Array([4, 5]));
  const loaded = new Uint8Array(3);
  sys.load(address + 8189n, loaded);
  assert.deepEqual([...loaded], [0, 4, 5]);
  const pair = sys.socketpair();
  assert.ok(typeof pair === "object");
  assert.equal(sys.sendmsg(pair[0], new Uint8Array([7]), [fd, fd]), 1);
  const received = sys.recvmsg(pair[1], into, 8);
  assert.ok(typeof received === "object");
  assert.deepEqual([received.bytes, received.fds.length, into[0]], [1, 2, 7]);
});

Deno.test("a call carries megabytes", async () => {
  await using machine = await startMachine("serve_linux.ts");
  using sys = connect(machine.path);
  const bytes = new Uint8Array(5 << 20).map((_, index) => index * 7);
  const fd = sys.memfd_create("x", 0);
  assert.equal(sys.write(fd, bytes), bytes.length);
  const into = new Uint8Array(bytes.length);
  assert.equal(sys.pread(fd, into, 0n), bytes.length);
  assert.deepEqual(into, bytes);
});

Deno.test("adopt brings a file into the machine, and expose brings it out", async () => {
  await using machine = await startMachine("serve_linux.ts");
  using sys = connect(machine.path);
  const mine = memfd_create("mine", abi.MFD_CLOEXEC);
  write(mine, new Uint8Array([1, 2, 3]));
  const { ino } = fstat(mine) as { ino: bigint };
  const theirs = sys.adopt(mine);
  assert.equal(fstat(mine), -Errno.EBADF, "adopt closes the caller's fd");
  assert.equal(sys.lseek(theirs, 0n, abi.SEEK_CUR), 3n);
  const back = sys.expose(theirs);
  const stat = fstat(back);
  assert.ok(typeof stat === "object");
  assert.equal(stat.ino, ino);
  const into = new Uint8Array(3);
  pread(back, into, 0n);
  assert.deepEqual([...into], [1, 2, 3]);
  close(back);
  assert.equal(sys.expose(1 << 20), -Errno.EBADF);
  assert.equal(sys.adopt(1 << 20), -Errno.EBADF);
});

const HOSTILE: [name: string, packet: string | Uint8Array][] = [
  ["no JSON", "{"],
  ["no UTF-8", new Uint8Array([0xff, 0xfe])],
  ["no object", "7"],
  ["no arguments", `{"call":"close"}`],
  ["an unknown call", `{"call":"constructor","args":[]}`],
  ["a text for a number", `{"call":"close","args":["3"]}`],
  ["a number past 32 bits", `{"call":"close","args":[4294967296]}`],
  ["a fraction", `{"call":"close","args":[0.5]}`],
  ["no base64", `{"call":"write","args":[3,"*"]}`],
  ["a buffer of 4 GB", `{"call":"read","args":[3,4294967295]}`],
  ["a big number past 64 bits", `{"call":"ftruncate","args":[3,"99999999999999999999"]}`],
  ["a long text without its memfd", "@100000"],
  ["a long text of no length", "@x"],
  ["an empty packet", ""],
];

Deno.test("a client that breaks the protocol is cut off, and other clients are served", async (t) => {
  await using machine = await startMachine("serve_linux.ts");
  using witness = connect(machine.path);
  for (const [name, packet] of HOSTILE) {
    await t.step(name, () => {
      const socket = unix_connect(machine.path, SOCK_SEQPACKET);
      const bytes = typeof packet === "string" ? new TextEncoder().encode(packet) : packet;
      sendmsg(socket, bytes, []);
      const end = recvmsg(socket, new Uint8Array(10), 0);
      assert.ok(end === -Errno.ECONNRESET || (typeof end === "object" && end.bytes === 0));
      close(socket);
      assert.equal(witness.close(1 << 20), -Errno.EBADF);
    });
  }
  await t.step("a long text that is shorter than its length", () => {
    const socket = unix_connect(machine.path, SOCK_SEQPACKET);
    const memfd = memfd_create("short", abi.MFD_CLOEXEC);
    sendmsg(socket, new TextEncoder().encode("@100000"), [memfd]);
    const end = recvmsg(socket, new Uint8Array(10), 0);
    assert.ok(end === -Errno.ECONNRESET || (typeof end === "object" && end.bytes === 0));
    close(socket);
    close(memfd);
  });
  await t.step("an exception in the model ends only the connection that caused it", () => {
    using unlucky = connect(machine.path);
    assert.throws(() => unlucky.mkdir("/x", 0), ProcessKilled);
    assert.throws(() => unlucky.close(3), ProcessKilled);
    assert.equal(witness.close(1 << 20), -Errno.EBADF);
  });
});

Deno.test("a kexec ends all connections, and the machine serves new ones", async () => {
  await using machine = await startMachine("serve_linux.ts");
  const [first, second] = [connect(machine.path), connect(machine.path)];
  assert.throws(() => first.reboot(0x45584543), ProcessKilled);
  assert.throws(() => first.close(3), ProcessKilled);
  assert.throws(() => second.close(3), ProcessKilled);
  using next = connect(machine.path);
  assert.equal(next.uname().sysname, "Linux");
});

Deno.test("the last goodbye ends an idle machine and removes its socket; a client that only hangs up was killed", async () => {
  await using machine = await startMachine("serve_linux.ts");
  const first = connect(machine.path);
  const socket = unix_connect(machine.path, SOCK_SEQPACKET);
  close(socket);
  // The machine answers each of these calls in another turn of its loop, so it has noticed the other client before the last one.
  for (let call = 0; call < 3; call++) assert.equal(first.close(1 << 20), -Errno.EBADF);
  first[Symbol.dispose]();
  // The goodbye is answered after that: whoever says it may remove the directory next.
  assert.throws(() => Deno.lstatSync(machine.path), Deno.errors.NotFound);
  first[Symbol.dispose]();
  assert.equal((await machine.child.status).code, 0);
  assert.equal(await machine.output, "killed 2\n");
  assert.throws(() => connectMachine(machine.path), { operation: "connect", code: "ENOENT" });
});
