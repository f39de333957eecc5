/** lib/files/restore_to.ts: a restored file is written completely or not at all. */
import assert from "node:assert/strict";
import { lseek, mkfifo } from "../../ffi/file.ts";
import { FileProblem, type FileProblemCode } from "../../lib/files/file_problem.ts";
import { checkTarget, giveToFd, giveToFile, parseTarget, type Restored } from "../../lib/files/restore_to.ts";
import { LuoError } from "../../lib/error.ts";
import type { HostFd } from "../../lib/files/host_fd.ts";
import { memfdOf, pattern, scratch } from "./scratch.ts";

function restored(fd: HostFd, size: number): Restored {
  return { fd: fd.number, name: "file 7", size: BigInt(size) };
}

function problem(code: FileProblemCode, words = "") {
  return (error: unknown) =>
    error instanceof FileProblem && error.code === code && error.message.includes(words);
}

Deno.test("a file is written completely, and the directory has no other file", async () => {
  using dir = scratch();
  const bytes = pattern(3_000_001);
  using fd = memfdOf(bytes);
  await giveToFile(restored(fd, bytes.length), parseTarget(`${dir.path}/out`));
  assert.deepEqual(Deno.readFileSync(`${dir.path}/out`), bytes);
  assert.deepEqual([...Deno.readDirSync(dir.path)].map((entry) => entry.name), ["out"]);
});

Deno.test("a restore reads the whole file and does not move its position", async () => {
  using dir = scratch();
  using fd = memfdOf(pattern(5000));
  lseek(fd.number, 1234n, 0);
  await giveToFile(restored(fd, 5000), parseTarget(`${dir.path}/out`));
  assert.equal(Deno.statSync(`${dir.path}/out`).size, 5000);
  assert.equal(lseek(fd.number, 0n, 1), 1234n);
});

Deno.test("an empty file can be restored", async () => {
  using dir = scratch();
  using fd = memfdOf(new Uint8Array(0));
  await giveToFile(restored(fd, 0), parseTarget(`${dir.path}/out`));
  assert.equal(Deno.statSync(`${dir.path}/out`).size, 0);
});

Deno.test("an existing file is kept, unless it may be replaced", async () => {
  using dir = scratch();
  using fd = memfdOf(pattern(100));
  const target = parseTarget(`${dir.path}/out`);
  Deno.writeTextFileSync(target.path, "mine");
  await assert.rejects(giveToFile(restored(fd, 100), target), problem("target-exists"));
  assert.equal(Deno.readTextFileSync(target.path), "mine");
  await giveToFile(restored(fd, 100), target, { replace: true });
  assert.deepEqual(Deno.readFileSync(target.path), pattern(100));
  assert.deepEqual([...Deno.readDirSync(dir.path)].length, 1);
});

for (const aim of ["precious", "nowhere"]) {
  Deno.test(`a symbolic link to "${aim}" is never followed`, async () => {
    using dir = scratch();
    Deno.writeTextFileSync(`${dir.path}/precious`, "mine");
    Deno.symlinkSync(aim, `${dir.path}/out`);
    using fd = memfdOf(pattern(100));
    const target = parseTarget(`${dir.path}/out`);
    await assert.rejects(giveToFile(restored(fd, 100), target), problem("target-exists"));
    await giveToFile(restored(fd, 100), target, { replace: true });
    assert.equal(Deno.readTextFileSync(`${dir.path}/precious`), "mine");
    assert.equal(Deno.lstatSync(target.path).isFile, true);
  });
}

Deno.test("paths that name a directory are refused", async (t) => {
  using dir = scratch();
  for (const path of ["", "/", ".", "..", "a/", "a/."]) {
    await t.step(JSON.stringify(path), () => assert.throws(() => parseTarget(path), problem("target-form")));
  }
  Deno.mkdirSync(`${dir.path}/sub`);
  assert.throws(
    () => checkTarget(parseTarget(`${dir.path}/sub`), true),
    problem("target-kind", "kind directory"),
  );
  assert.throws(
    () => checkTarget(parseTarget(`${dir.path}/no/out`), false),
    problem("target-directory", "/no/"),
  );
  Deno.writeTextFileSync(`${dir.path}/plain`, "");
  assert.throws(
    () => checkTarget(parseTarget(`${dir.path}/plain/out`), false),
    problem("target-directory", "ENOTDIR"),
  );
});

Deno.test("a file with the longest possible name is written and replaced", async () => {
  using dir = scratch();
  using fd = memfdOf(pattern(10));
  const target = parseTarget(`${dir.path}/${"\u00e4".repeat(127)}`);
  await giveToFile(restored(fd, 10), target);
  await giveToFile(restored(fd, 10), target, { replace: true });
  assert.equal([...Deno.readDirSync(dir.path)].length, 1);
});

Deno.test("a file that is shorter than its size is an error, and no file is left", async () => {
  using dir = scratch();
  using fd = memfdOf(pattern(100));
  const giving = giveToFile(restored(fd, 101), parseTarget(`${dir.path}/out`));
  await assert.rejects(giving, problem("restored-short", "moved 100, size 101"));
  assert.deepEqual([...Deno.readDirSync(dir.path)], []);
});

Deno.test("an interrupted restore leaves no file", async () => {
  using dir = scratch();
  using fd = memfdOf(pattern(100));
  const signal = AbortSignal.abort(new Error("stop"));
  await assert.rejects(giveToFile(restored(fd, 100), parseTarget(`${dir.path}/out`), { signal }), /stop/);
  assert.deepEqual([...Deno.readDirSync(dir.path)], []);
});

Deno.test("a write to a full disk is ENOSPC", async () => {
  using full = Deno.openSync("/dev/full", { write: true });
  assert.ok(full);
  using fd = memfdOf(pattern(100));
  const { open } = await import("../../ffi/file.ts");
  const out = open("/dev/full", 1);
  await assert.rejects(
    giveToFd(restored(fd, 100), { fd: out, name: "/dev/full" }),
    (error) => error instanceof LuoError && error.operation === "write" && error.is("ENOSPC"),
  );
});

Deno.test("a FIFO is never replaced", async () => {
  using dir = scratch();
  using fd = memfdOf(pattern(100));
  assert.equal(mkfifo(`${dir.path}/out`, 0o600), 0);
  const target = parseTarget(`${dir.path}/out`);
  // The message does not offer to replace the FIFO, because this would be refused too.
  for (const replace of [false, true]) {
    await assert.rejects(giveToFile(restored(fd, 100), target, { replace }), problem("target-kind", "FIFO"));
  }
  assert.equal(Deno.lstatSync(target.path).isFifo, true);
});

Deno.test("a new file is private, a replaced one keeps its mode, and --mode overrides both", async (t) => {
  using dir = scratch();
  using fd = memfdOf(pattern(100));
  const cases = [
    { name: "new", before: undefined, mode: undefined, after: 0o600 },
    { name: "new, with a mode", before: undefined, mode: 0o644, after: 0o644 },
    { name: "new, with a mode that the umask would cut", before: undefined, mode: 0o666, after: 0o666 },
    { name: "replaced", before: 0o751, mode: undefined, after: 0o751 },
    { name: "replaced, without set-user-ID", before: 0o4755, mode: undefined, after: 0o755 },
    { name: "replaced, with a mode", before: 0o644, mode: 0o400, after: 0o400 },
  ];
  for (const { name, before, mode, after } of cases) {
    await t.step(name, async () => {
      const target = parseTarget(`${dir.path}/${name}`);
      if (before !== undefined) {
        Deno.writeTextFileSync(target.path, "before");
        Deno.chmodSync(target.path, before);
      }
      await giveToFile(restored(fd, 100), target, { replace: true, mode });
      assert.equal((Deno.statSync(target.path).mode ?? 0) & 0o7777, after);
    });
  }
});

Deno.test("a file that is shorter than its size is an error for every target", async () => {
  using dir = scratch();
  using fd = memfdOf(pattern(100));
  using out = memfdOf(new Uint8Array(0));
  const longer = restored(fd, 200);
  await assert.rejects(
    giveToFile(longer, parseTarget(`${dir.path}/out`)),
    problem("restored-short", "moved 100, size 200"),
  );
  await assert.rejects(
    giveToFd(longer, { fd: out.number, name: "out" }),
    problem("restored-short", "moved 100, size 200"),
  );
  assert.deepEqual([...Deno.readDirSync(dir.path)], []);
});
