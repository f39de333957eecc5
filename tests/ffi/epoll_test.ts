/** ffi/epoll.ts on real sockets. */
import assert from "node:assert/strict";
import { Errno } from "../../ffi/abi/errno.ts";
import {
  EPOLL_CTL_ADD,
  EPOLL_CTL_DEL,
  EPOLL_CTL_MOD,
  EPOLLIN,
  EPOLLOUT,
  POLLNVAL,
} from "../../ffi/abi/epoll.ts";
import { MFD_CLOEXEC, POLLIN, POLLOUT } from "../../ffi/abi/fcntl.ts";
import { SOCK_STREAM } from "../../ffi/abi/socket.ts";
import { epoll_create1, epoll_ctl, epoll_wait, poll } from "../../ffi/epoll.ts";
import { close, memfd_create, write } from "../../ffi/file.ts";
import { socketpair } from "../../ffi/socket.ts";

function pair(): [number, number] {
  const answer = socketpair(SOCK_STREAM);
  assert.ok(typeof answer !== "number");
  return answer;
}

Deno.test("epoll gives the fd and its events, also when they come during the wait", async () => {
  const [a, b] = pair();
  const epfd = epoll_create1();
  assert.equal(epoll_ctl(epfd, EPOLL_CTL_ADD, b, EPOLLIN), 0);
  assert.deepEqual(await epoll_wait(epfd, 4, 0), []);
  const waiting = epoll_wait(epfd, 4, 10_000);
  write(a, new Uint8Array(1));
  assert.deepEqual(await waiting, [{ fd: b, events: EPOLLIN }]);
  assert.equal(epoll_ctl(epfd, EPOLL_CTL_MOD, b, EPOLLIN | EPOLLOUT), 0);
  assert.deepEqual(await epoll_wait(epfd, 4, 0), [{ fd: b, events: EPOLLIN | EPOLLOUT }]);
  assert.equal(epoll_ctl(epfd, EPOLL_CTL_DEL, b), 0);
  assert.deepEqual(await epoll_wait(epfd, 4, 0), []);
  for (const fd of [a, b, epfd]) close(fd);
});

Deno.test("epoll refuses a closed fd, a regular file and an fd that was not added", async () => {
  const epfd = epoll_create1();
  const file = memfd_create("x", MFD_CLOEXEC);
  assert.equal(epoll_ctl(epfd, EPOLL_CTL_ADD, 1 << 20, EPOLLIN), -Errno.EBADF);
  assert.equal(epoll_ctl(epfd, EPOLL_CTL_ADD, file, EPOLLIN), -Errno.EPERM);
  const [a, b] = pair();
  assert.equal(epoll_ctl(epfd, EPOLL_CTL_DEL, a), -Errno.ENOENT);
  await assert.rejects(epoll_wait(file, 1, 0), /EINVAL/);
  for (const fd of [a, b, epfd, file]) close(fd);
});

Deno.test("poll gives revents, 0 after its timeout, and POLLNVAL for a closed fd", () => {
  const [a, b] = pair();
  assert.equal(poll(a, POLLIN | POLLOUT, 0), POLLOUT);
  assert.equal(poll(a, POLLIN, 5), 0);
  write(b, new Uint8Array(1));
  assert.equal(poll(a, POLLIN, -1), POLLIN);
  // More than an int holds.
  for (const limit of [2 ** 31, Infinity]) assert.equal(poll(a, POLLIN, limit), POLLIN);
  assert.equal(poll(1 << 20, POLLIN, 0), POLLNVAL);
  close(a);
  close(b);
});
