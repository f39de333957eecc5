/** The program of collection_test.ts: `errno` or `buffers`, in a V8 that collects garbage when it is told to. Answers on standard error. */
import assert from "node:assert/strict";
import { Errno } from "../../ffi/abi/errno.ts";
import { SO_RCVBUF, SOCK_STREAM } from "../../ffi/abi/socket.ts";
import { epoll_create1, epoll_wait, poll } from "../../ffi/epoll.ts";
import {
  close,
  memfd_create,
  pipe2,
  pread,
  pwrite_in_thread,
  read,
  sendfile,
  write,
} from "../../ffi/file.ts";
import { addressOf, libc } from "../../ffi/libc.ts";
import { getpid } from "../../ffi/process.ts";
import {
  is_listening,
  peer_credentials,
  recvmsg,
  sendmsg,
  set_buffer_size,
  socketpair,
} from "../../ffi/socket.ts";
import { touch } from "../../ffi/tracee.ts";

const POLLIN = 1;
/** Natives are not syntax of TypeScript. */
const native = (body: string) => new Function(body) as () => void;
const collect = native("gc()");
/** The next function that begins collects garbage first. */
const collect_soon = native("%ScheduleGCInStackCheck()");

/** A call of C that fails, with a collection as soon as one is possible after it: directly before errno is read at the latest. */
function errno(): void {
  const real = Deno.dlopen("libc.so.6", { close: { parameters: ["i32"], result: "i32" } });
  const { close: close_in_c } = real.symbols;
  Object.defineProperty(libc(), "close", {
    get: () => {
      collect_soon();
      return close_in_c;
    },
  });
  for (let round = 0; round < 100; round++) assert.equal(close(-1), -Errno.EBADF, `round ${round}`);
}

/** Buffers of every size keep their place, and small structs arrive, with many collections. */
async function buffers(): Promise<void> {
  const arrays = Array.from({ length: 130 }, (_, size) => new Uint8Array(size));
  const before = arrays.map(addressOf);
  for (let round = 0; round < 3; round++) collect();
  assert.deepEqual(arrays.map(addressOf), before);
  for (let round = 0; round < 100; round++) await smallStructs(round);
}

async function smallStructs(round: number): Promise<void> {
  const [[out, into], [a, b]] = [pair(pipe2(0)), pair(socketpair(SOCK_STREAM))];
  const file = memfd_create("numbers", 0);
  const number = new Uint8Array(8).fill(round);
  const writing = pwrite_in_thread(file, number, 8n);
  const touched = touch(getpid(), addressOf(number), true);
  collect();
  assert.equal(await writing, 8);
  await touched;
  assert.equal(sendfile(into, file, 8n, 8), 8);
  assert.equal(poll(out, POLLIN, 0), POLLIN);
  const back = new Uint8Array(8);
  assert.equal(read(out, back), 8);
  assert.deepEqual(back, number);
  assert.equal(sendmsg(a, number, [file]), 8);
  const message = recvmsg(b, back, 1);
  assert.ok(typeof message === "object");
  assert.equal(pread(message.fds[0] ?? -1, back, 8n), 8);
  assert.deepEqual(back, number);
  assert.equal(set_buffer_size(a, SO_RCVBUF, 10_000), 0);
  assert.equal(is_listening(a), false);
  const peer = peer_credentials(a);
  assert.equal(typeof peer === "object" && peer.pid, getpid());
  const epoll = epoll_create1();
  assert.deepEqual(await epoll_wait(epoll, 1, 0), []);
  assert.equal(write(-1, number), -Errno.EBADF);
  [out, into, a, b, file, epoll, ...message.fds].forEach(close);
}

function pair(answer: [number, number] | number): [number, number] {
  assert.ok(typeof answer === "object", `errno ${answer}`);
  return answer;
}

if (import.meta.main) {
  if (Deno.args[0] === "errno") errno();
  else await buffers();
  console.error("passed");
}
