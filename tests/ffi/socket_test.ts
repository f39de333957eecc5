/** ffi/socket.ts on real Unix sockets. */
import assert from "node:assert/strict";
import { Errno } from "../../ffi/abi/errno.ts";
import { F_GETFD, FD_CLOEXEC, MFD_CLOEXEC } from "../../ffi/abi/fcntl.ts";
import { MSG_DONTWAIT, SHUT_WR, SOCK_NONBLOCK, SOCK_SEQPACKET, SOCK_STREAM } from "../../ffi/abi/socket.ts";
import { close, fcntl, fstat, memfd_create, stat } from "../../ffi/file.ts";
import { geteuid, getpid } from "../../ffi/process.ts";
import * as socket from "../../ffi/socket.ts";

function pair(type = SOCK_SEQPACKET): [number, number] {
  const answer = socket.socketpair(type);
  assert.ok(typeof answer !== "number");
  return answer;
}

function received(answer: socket.ReceivedMessage | number): socket.ReceivedMessage {
  assert.ok(typeof answer === "object", `errno ${answer}`);
  return answer;
}

for (const count of [0, 1, 2, 3, 253]) {
  Deno.test(`a message carries ${count} fds`, () => {
    const [a, b] = pair();
    const fd = memfd_create("x", MFD_CLOEXEC);
    assert.equal(socket.sendmsg(a, new Uint8Array([5]), Array(count).fill(fd)), 1);
    const message = received(socket.recvmsg(b, new Uint8Array(10), 253));
    assert.equal(message.bytes, 1);
    assert.equal(message.truncated, false);
    assert.equal(new Set(message.fds).size, count);
    for (const each of message.fds) {
      assert.equal(fcntl(each, F_GETFD), FD_CLOEXEC);
      assert.deepEqual(fstat(each), fstat(fd));
    }
    for (const each of [a, b, fd, ...message.fds]) close(each);
  });
}

Deno.test("254 fds in one message are EINVAL", () => {
  const [a, b] = pair();
  assert.equal(socket.sendmsg(a, new Uint8Array(1), Array(254).fill(a)), -Errno.EINVAL);
  close(a);
  close(b);
});

Deno.test("a closed fd cannot be sent", () => {
  const [a, b] = pair();
  assert.equal(socket.sendmsg(a, new Uint8Array(1), [1 << 20]), -Errno.EBADF);
  close(a);
  close(b);
});

for (const [sent, room] of [[3, 2], [3, 1], [1, 0]] as const) {
  Deno.test(`a message of ${sent} fds with room for ${room} is truncated, and ${room} arrive`, () => {
    const [a, b] = pair();
    socket.sendmsg(a, new Uint8Array(1), Array(sent).fill(a));
    const message = received(socket.recvmsg(b, new Uint8Array(1), room));
    assert.equal(message.truncated, true);
    assert.equal(message.fds.length, room);
    for (const each of [a, b, ...message.fds]) close(each);
  });
}

Deno.test("a packet longer than the buffer is truncated", () => {
  const [a, b] = pair();
  socket.sendmsg(a, new Uint8Array(8), []);
  assert.equal(received(socket.recvmsg(b, new Uint8Array(4), 0)).truncated, true);
  close(a);
  close(b);
});

Deno.test("an empty socket gives EAGAIN, its end 0 bytes, and a write to a closed one EPIPE without a signal", () => {
  const [a, b] = pair(SOCK_STREAM | SOCK_NONBLOCK);
  assert.equal(socket.recvmsg(b, new Uint8Array(4), 0), -Errno.EAGAIN);
  assert.equal(socket.recvmsg(b, new Uint8Array(4), 0, MSG_DONTWAIT), -Errno.EAGAIN);
  assert.equal(socket.shutdown(a, SHUT_WR), 0);
  assert.equal(received(socket.recvmsg(b, new Uint8Array(4), 1)).bytes, 0);
  close(b);
  assert.equal(socket.sendmsg(a, new Uint8Array(1), []), -Errno.EPIPE);
  close(a);
});

Deno.test("a listening socket has mode 0600, and an accepted one knows its peer", () => {
  const dir = Deno.makeTempDirSync();
  const path = `${dir}/s`;
  const listener = socket.unix_listen(path, SOCK_SEQPACKET | SOCK_NONBLOCK, 5);
  assert.ok(listener >= 0, `errno ${listener}`);
  const file = stat(path);
  assert.ok(typeof file === "object");
  assert.equal(file.mode, 0o140600);
  assert.equal(socket.accept4(listener, 0), -Errno.EAGAIN);
  const client = socket.unix_connect(path, SOCK_SEQPACKET);
  const server = socket.accept4(listener, SOCK_NONBLOCK);
  assert.ok(server >= 0);
  const peer = socket.peer_credentials(server);
  assert.ok(typeof peer === "object");
  assert.equal(peer.pid, getpid());
  assert.equal(peer.uid, geteuid());
  assert.equal(socket.unix_listen(path, SOCK_SEQPACKET, 5), -Errno.EADDRINUSE);
  assert.equal(socket.unix_connect(path, SOCK_STREAM), -Errno.EPROTOTYPE);
  for (const each of [listener, client, server]) close(each);
  assert.equal(socket.unix_connect(path, SOCK_SEQPACKET), -Errno.ECONNREFUSED);
  Deno.removeSync(dir, { recursive: true });
  assert.equal(socket.unix_connect(path, SOCK_SEQPACKET), -Errno.ENOENT);
});

Deno.test("a path of more than 107 bytes is ENAMETOOLONG", () => {
  const path = "/tmp/" + "x".repeat(103);
  assert.equal(socket.unix_listen(path, SOCK_STREAM, 1), -Errno.ENAMETOOLONG);
  assert.equal(socket.unix_connect(path, SOCK_STREAM), -Errno.ENAMETOOLONG);
});

Deno.test("calls on a closed fd give EBADF", () => {
  const closed = 1 << 20;
  assert.equal(socket.accept4(closed, 0), -Errno.EBADF);
  assert.equal(socket.shutdown(closed, SHUT_WR), -Errno.EBADF);
  assert.equal(socket.peer_credentials(closed), -Errno.EBADF);
  assert.equal(socket.sendmsg(closed, new Uint8Array(1), []), -Errno.EBADF);
  assert.equal(socket.recvmsg(closed, new Uint8Array(1), 0), -Errno.EBADF);
  assert.equal(socket.socketpair(99), -Errno.EINVAL);
});
