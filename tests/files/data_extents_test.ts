/** lib/files/data_extents.ts: holes and zeros are neither read nor written, and the contents stay the same. */
import assert from "node:assert/strict";
import fc from "fast-check";
import * as abi from "../../ffi/abi/fcntl.ts";
import { close, fallocate, fstat, ftruncate, lseek, open, pwrite } from "../../ffi/file.ts";
import { is_zero } from "../../ffi/memory.ts";
import { copyBlocks } from "../../lib/files/block_copy.ts";
import { transferData } from "../../lib/files/data_transfer.ts";
import { extentsOfMemfd, extentsWithoutHoles } from "../../lib/files/data_extents.ts";
import { digestOf, startDigest } from "../../lib/files/digest.ts";
import { LuoError } from "../../lib/error.ts";
import { FileProblem } from "../../lib/files/file_problem.ts";
import { copyToMemfd } from "../../lib/files/preserve_from.ts";
import { giveToFile, parseTarget } from "../../lib/files/restore_to.ts";
import { memfdOf, pattern, readAll, scratch } from "./scratch.ts";

const KiB = 1024;
const MiB = 1024 * KiB;

/** Bytes in use on the disk. */
function used(file: string | number): number {
  if (typeof file === "string") return (Deno.statSync(file).blocks ?? 0) * 512;
  const stat = fstat(file);
  return typeof stat === "number" ? stat : Number(stat.blocks) * 512;
}

/** Bytes that are zero except at some places. */
function sparse(
  size: number,
  places: readonly (readonly [at: number, length: number])[],
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  for (const [at, length] of places) bytes.fill(0x5a, at, at + length);
  return bytes;
}

Deno.test("is_zero finds one byte that is not zero, anywhere", () => {
  const bytes = new Uint8Array(64 * KiB);
  for (const length of [0, 1, 2, 3, 4096, bytes.length]) {
    assert.equal(is_zero(bytes.subarray(0, length)), true);
  }
  for (const at of [0, 1, 2, 4095, 4096, bytes.length - 1]) {
    bytes[at] = 1;
    assert.equal(is_zero(bytes), false, String(at));
    bytes[at] = 0;
  }
});

Deno.test("a sparse source becomes a sparse memfd with the same contents, at position 0", async () => {
  using dir = scratch();
  const path = `${dir.path}/in`;
  const fd = open(path, abi.O_CREAT | abi.O_RDWR, 0o600);
  try {
    ftruncate(fd, BigInt(64 * MiB));
    for (const at of [3 * MiB, 40 * MiB + 5]) pwrite(fd, pattern(8 * KiB), BigInt(at));
    let told = 0;
    using memfd = await copyToMemfd({ kind: "file", path }, { onBytes: (bytes) => told += bytes });
    assert.ok(used(memfd.number) <= 256 * KiB, `${used(memfd.number)} bytes in use`);
    assert.equal(told, 64 * MiB);
    assert.equal(lseek(memfd.number, 0n, abi.SEEK_CUR), 0n);
    using copy = Deno.openSync(path);
    const whole = new Uint8Array(64 * MiB);
    for (let at = 0; at < whole.length;) at += copy.readSync(whole.subarray(at)) ?? whole.length;
    const found = new Uint8Array(64 * MiB);
    using again = Deno.openSync(`/proc/self/fd/${memfd.number}`);
    for (let at = 0; at < found.length;) at += again.readSync(found.subarray(at)) ?? found.length;
    assert.ok(found.every((byte, i) => byte === whole[i]));
  } finally {
    close(fd);
  }
});

Deno.test("a source that is one hole becomes a memfd of the same size", async () => {
  using dir = scratch();
  Deno.writeFileSync(`${dir.path}/in`, new Uint8Array(0));
  Deno.truncateSync(`${dir.path}/in`, 5000);
  using memfd = await copyToMemfd({ kind: "file", path: `${dir.path}/in` });
  assert.deepEqual(readAll(memfd.number), new Uint8Array(5000));
});

Deno.test("only blocks with data of a restored file are written; the rest are holes", async () => {
  using dir = scratch();
  const bytes = sparse(16 * MiB + 77, [[64 * KiB, 1], [5 * MiB - 3, 6], [16 * MiB + 76, 1]]);
  using fd = memfdOf(bytes);
  fallocate(fd.number, 0, 0n, BigInt(bytes.length));
  assert.ok(used(fd.number) >= bytes.length, "the kernel has filled the holes");
  const file = { fd: fd.number, name: "file 7", size: BigInt(bytes.length) };
  using copy = memfdOf(new Uint8Array(0));
  ftruncate(copy.number, file.size);
  await transferData(file, { fd: copy.number, name: "copy" }, { offset: 0n, length: file.size });
  const extents = extentsOfMemfd({ fd: copy.number, size: file.size });
  assert.deepEqual(
    extents.map(({ offset, length }) => [Number(offset) / KiB, Number(length) / KiB]),
    [[64, 64], [5 * KiB - 64, 128], [16 * KiB, 77 / KiB]],
  );
  let told = 0;
  await giveToFile(file, parseTarget(`${dir.path}/out`), { onBytes: (moved) => told += moved });
  assert.deepEqual(Deno.readFileSync(`${dir.path}/out`), bytes);
  assert.ok(used(`${dir.path}/out`) <= 512 * KiB, `${used(`${dir.path}/out`)} bytes in use`);
  assert.equal(told, bytes.length);
});

Deno.test("a restored file that is shorter than before is an error, and is not padded with zeros", async () => {
  using dir = scratch();
  using fd = memfdOf(sparse(100, []));
  const file = { fd: fd.number, name: "file 7", size: 200n };
  const short = (error: unknown) => error instanceof FileProblem && error.code === "restored-short";
  await assert.rejects(giveToFile(file, parseTarget(`${dir.path}/out`)), short);
  assert.deepEqual([...Deno.readDirSync(dir.path)], []);
});

Deno.test("the search for data does not move the position of the restored file", () => {
  using fd = memfdOf(sparse(3 * MiB, [[MiB, 5]]));
  lseek(fd.number, 42n, abi.SEEK_SET);
  extentsOfMemfd({ fd: fd.number, size: BigInt(3 * MiB) });
  assert.equal(lseek(fd.number, 0n, abi.SEEK_CUR), 42n);
});

Deno.test("any sparse file has the same bytes after it was preserved and restored", async () => {
  const place = fc.tuple(fc.nat(700 * KiB), fc.integer({ min: 1, max: 150 * KiB }));
  const cases = fc.tuple(fc.nat(700 * KiB), fc.array(place, { maxLength: 6 }));
  await fc.assert(
    fc.asyncProperty(cases, async ([size, places]) => {
      using dir = scratch();
      const bytes = sparse(size, places);
      Deno.writeFileSync(`${dir.path}/dense`, bytes);
      const fd = open(`${dir.path}/in`, abi.O_CREAT | abi.O_RDWR, 0o600);
      ftruncate(fd, BigInt(size));
      for (const [at, length] of places) {
        if (at < size) pwrite(fd, bytes.subarray(at, Math.min(at + length, size)), BigInt(at));
      }
      close(fd);
      using memfd = await copyToMemfd({ kind: "file", path: `${dir.path}/in` });
      await giveToFile({ fd: memfd.number, name: "x", size: BigInt(size) }, parseTarget(`${dir.path}/out`));
      assert.deepEqual(Deno.readFileSync(`${dir.path}/out`), bytes);
    }),
    { numRuns: 40 },
  );
});

Deno.test("a file without holes, or whose file system has no holes, is one extent", () => {
  using fd = memfdOf(pattern(10_000));
  assert.deepEqual(extentsWithoutHoles(fd.number, 100n, 10_000n), [{ offset: 100n, length: 9_900n }]);
  const proc = open("/proc/self/status", abi.O_RDONLY);
  assert.deepEqual(extentsWithoutHoles(proc, 0n, 10n), [{ offset: 0n, length: 10n }]);
  close(proc);
});

Deno.test("any file is copied with its digest, which sees every byte in order, those of holes too", async () => {
  const place = fc.tuple(fc.nat(3 * MiB), fc.integer({ min: 1, max: 300 * KiB }));
  const cases = fc.tuple(fc.nat(3 * MiB), fc.array(place, { maxLength: 6 }), fc.nat(2 * MiB));
  await fc.assert(
    fc.asyncProperty(cases, async ([size, places, start]) => {
      const bytes = sparse(size, places);
      using source = memfdOf(bytes);
      const rest = Math.max(0, size - start);
      using target = memfdOf(new Uint8Array(0));
      ftruncate(target.number, BigInt(rest));
      const seen: number[] = [];
      const digest = await startDigest();
      const moved = await copyBlocks(
        { fd: source.number, name: "source" },
        { fd: target.number, name: "target" },
        { offset: BigInt(start), length: BigInt(rest) },
        { at: 0n, onData: (piece) => digest.update(piece), onBytes: (count) => seen.push(count) },
      );
      assert.equal(Number(moved), rest);
      assert.equal(seen.reduce((sum, count) => sum + count, 0), rest);
      assert.deepEqual(readAll(target.number), bytes.subarray(start));
      assert.equal(digest.text(), await digestOf({ fd: target.number, name: "target" }));
    }),
    { numRuns: 30 },
  );
});

Deno.test("a write that fails in another thread is the error of the copy", async () => {
  using source = memfdOf(pattern(4 * MiB));
  const full = open("/dev/full", abi.O_RDWR | abi.O_CLOEXEC);
  try {
    await assert.rejects(
      copyBlocks({ fd: source.number, name: "x" }, { fd: full, name: "/dev/full" }, {
        offset: 0n,
        length: BigInt(4 * MiB),
      }, { onData: () => {} }),
      (error) => error instanceof LuoError && error.is("ENOSPC") && error.message.includes("/dev/full"),
    );
  } finally {
    close(full);
  }
});

Deno.test("contents with another digest than recorded never get the name", async () => {
  using dir = scratch();
  const bytes = pattern(3 * MiB);
  using fd = memfdOf(bytes);
  const file = { fd: fd.number, name: "file 7", size: BigInt(bytes.length) };
  const digest = await digestOf(file);
  await giveToFile(file, parseTarget(`${dir.path}/out`), { digest });
  assert.deepEqual(Deno.readFileSync(`${dir.path}/out`), bytes);
  pwrite(fd.number, new Uint8Array([1]), BigInt(2 * MiB));
  const other = (error: unknown) => error instanceof FileProblem && error.code === "digest";
  await assert.rejects(giveToFile(file, parseTarget(`${dir.path}/out`), { digest, replace: true }), other);
  assert.deepEqual(Deno.readFileSync(`${dir.path}/out`), bytes);
  assert.deepEqual([...Deno.readDirSync(dir.path)].length, 1);
});
