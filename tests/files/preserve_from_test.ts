/** lib/files/preserve_from.ts: makes a file that can be preserved from a path, an fd or another process; digests, memory. */
import assert from "node:assert/strict";
import * as abi from "../../ffi/abi/fcntl.ts";
import { close, fcntl, lseek, mkfifo, open, pwrite } from "../../ffi/file.ts";
import { getpid } from "../../ffi/process.ts";
import { LuoError } from "../../lib/error.ts";
import { digestOf, verifyDigest } from "../../lib/files/digest.ts";
import { checkMemory, parseAvailable } from "../../lib/files/free_memory.ts";
import { FileProblem, type FileProblemCode } from "../../lib/files/file_problem.ts";
import { copyToMemfd, isSealed, seal, sourceName } from "../../lib/files/preserve_from.ts";
import { memfdOf, pattern, readAll, scratch } from "./scratch.ts";

function problem(code: FileProblemCode, words = "") {
  return (error: unknown) =>
    error instanceof FileProblem && error.code === code && error.message.includes(words);
}

function systemError(operation: string, code: string) {
  return (error: unknown) =>
    error instanceof LuoError && error.operation === operation && error.code === code;
}

Deno.test("a file is copied into a memfd whose position is at the start", async () => {
  using dir = scratch();
  const bytes = pattern(2_500_003);
  Deno.writeFileSync(`${dir.path}/in`, bytes);
  let told = 0;
  let total: bigint | undefined;
  using fd = await copyToMemfd({ kind: "file", path: `${dir.path}/in` }, {
    onStart: (bytes) => total = bytes,
    onBytes: (bytes) => told += bytes,
  });
  assert.equal(lseek(fd.number, 0n, abi.SEEK_CUR), 0n);
  assert.deepEqual(readAll(fd.number), bytes);
  assert.deepEqual([told, total], [bytes.length, BigInt(bytes.length)]);
});

Deno.test("a file of /proc, which has no size, is copied with its contents", async () => {
  using fd = await copyToMemfd({ kind: "file", path: "/proc/self/status" });
  assert.match(new TextDecoder().decode(readAll(fd.number)), /^Name:/);
});

Deno.test("a file of /sys, which has the size of a page, is copied with its contents", async () => {
  const path = "/sys/kernel/uevent_seqnum";
  using fd = await copyToMemfd({ kind: "file", path });
  assert.match(new TextDecoder().decode(readAll(fd.number)), /^\d+\n$/);
});

Deno.test("a source that is not a regular file is refused with its kind", async (t) => {
  using dir = scratch();
  mkfifo(`${dir.path}/fifo`, 0o600);
  const cases = [[dir.path, "directory"], [`${dir.path}/fifo`, "FIFO"], ["/dev/null", "device"]] as const;
  for (const [path, kind] of cases) {
    await t.step(
      kind,
      () => assert.rejects(copyToMemfd({ kind: "file", path }), problem("source-kind", `kind ${kind}`)),
    );
  }
  await assert.rejects(copyToMemfd({ kind: "file", path: `${dir.path}/no` }), systemError("read", "ENOENT"));
});

Deno.test("a file that grows while it is read is refused", async () => {
  using dir = scratch();
  const path = `${dir.path}/in`;
  Deno.writeFileSync(path, pattern(100));
  const grow = () => Deno.writeFileSync(path, pattern(10), { append: true });
  await assert.rejects(
    copyToMemfd({ kind: "file", path }, { onBytes: grow }),
    problem("source-resized", "before 100, after 110"),
  );
});

Deno.test("a file that becomes shorter while it is read is refused", async () => {
  using dir = scratch();
  const path = `${dir.path}/in`;
  Deno.writeFileSync(path, pattern(20 << 20));
  const cut = () => Deno.truncateSync(path, 5);
  await assert.rejects(
    copyToMemfd({ kind: "file", path }, { onBytes: cut }),
    problem("source-resized", "after 5"),
  );
});

Deno.test("a file that is rewritten in place while it is read is refused", async () => {
  using dir = scratch();
  const path = `${dir.path}/in`;
  Deno.writeFileSync(path, pattern(100));
  // Make the file old: the clock of a file system may show the same time for some milliseconds.
  Deno.utimeSync(path, 1, 1);
  const rewrite = () => {
    using file = Deno.openSync(path, { read: true, write: true });
    file.writeSync(pattern(5));
  };
  await assert.rejects(
    copyToMemfd({ kind: "file", path }, { onBytes: rewrite }),
    problem("source-written", "/in"),
  );
});

Deno.test("an inherited fd is the same open file; closed fds and fds of the runtime are refused", async () => {
  using memfd = memfdOf(pattern(10));
  await assert.rejects(copyToMemfd({ kind: "fd", fd: memfd.number }), systemError("read", "EBADF"));
  await assert.rejects(copyToMemfd({ kind: "fd", fd: 1021 }), systemError("read", "EBADF"));
  fcntl(memfd.number, abi.F_SETFD, 0);
  using fd = await copyToMemfd({ kind: "fd", fd: memfd.number });
  lseek(memfd.number, 4n, abi.SEEK_SET);
  assert.equal(lseek(fd.number, 0n, abi.SEEK_CUR), 4n);
});

Deno.test("a file without a handler in the kernel is refused before the kernel is asked", async () => {
  using dir = scratch();
  const disk = open(`${dir.path}/x`, abi.O_CREAT | abi.O_RDWR, 0o600);
  try {
    const refused = problem("no-handler", "not in memory");
    await assert.rejects(copyToMemfd({ kind: "fd", fd: disk }), refused);
    await assert.rejects(copyToMemfd({ kind: "process", pid: getpid(), fd: disk }), refused);
  } finally {
    close(disk);
  }
});

Deno.test("an fd of another process is copied; a missing fd or process is named in the error", async () => {
  using memfd = memfdOf(pattern(10));
  using fd = await copyToMemfd({ kind: "process", pid: getpid(), fd: memfd.number });
  assert.deepEqual(readAll(fd.number), pattern(10));
  await assert.rejects(
    copyToMemfd({ kind: "process", pid: getpid(), fd: 1021 }),
    systemError("pidfd_getfd", "EBADF"),
  );
  await assert.rejects(
    copyToMemfd({ kind: "process", pid: 0x7fff_fff0, fd: 0 }),
    systemError("pidfd_open", "ESRCH"),
  );
});

Deno.test("a sealed file cannot change; a disk file cannot be sealed", () => {
  using dir = scratch();
  using fd = memfdOf(pattern(10));
  assert.equal(isSealed(fd), false);
  seal(fd, "x");
  assert.equal(isSealed(fd), true);
  assert.equal(pwrite(fd.number, new Uint8Array(1), 0n), -1);
  const disk = open(`${dir.path}/x`, abi.O_CREAT | abi.O_RDWR, 0o600);
  try {
    const answer = fcntl(disk, abi.F_GET_SEALS);
    assert.ok(answer < 0);
  } finally {
    close(disk);
  }
});

Deno.test("digests are those of sha256sum and do not move the position", async () => {
  using fd = memfdOf(new TextEncoder().encode("abc"));
  lseek(fd.number, 2n, abi.SEEK_SET);
  const abc = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  assert.equal(await digestOf({ fd: fd.number, name: "x" }), abc);
  assert.equal(lseek(fd.number, 0n, abi.SEEK_CUR), 2n);
  await verifyDigest({ fd: fd.number, name: "x" }, abc);
  pwrite(fd.number, new Uint8Array([1]), 0n);
  await assert.rejects(verifyDigest({ fd: fd.number, name: "x" }, abc), problem("digest"));
});

Deno.test("a file that would leave less than 64 MiB of memory is refused", () => {
  const MiB = 1n << 20n;
  checkMemory(36n * MiB, "x", 100n * MiB);
  assert.throws(() => checkMemory(37n * MiB, "x", 100n * MiB), problem("memory", `needed ${37n * MiB}`));
  assert.equal(parseAvailable("MemFree: 1 kB\nMemAvailable:    2048 kB\n"), 2n << 20n);
  assert.equal(parseAvailable("MemFree: 1 kB\n"), undefined);
});

Deno.test("a source is named as the user typed it", () => {
  assert.equal(sourceName({ kind: "file", path: "a b" }), '"a b"');
  assert.equal(sourceName({ kind: "process", pid: 4, fd: 5 }), "file descriptor 5 of process 4");
});
