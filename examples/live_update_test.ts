/**
 * How a service tests its live update, on the model and without permissions:
 *
 *     deno test examples/live_update_test.ts
 *
 * `testOnLinux(import.meta.resolve("./live_update_test.ts"), { kernel })` runs the same file on a real kernel.
 */
import assert from "node:assert/strict";
import { check, Fd, LuoError, openDevice, SessionHolder, type SystemCalls } from "../lib/luo.ts";
import { liveUpdateTest, Machine } from "../lib/testing.ts";

const SESSION = "cache";
const TOKEN = 7n;

/** The service: writes the cache into a memfd and preserves it. */
function saveCache(sys: SystemCalls, cache: Uint8Array): SessionHolder {
  const holder = new SessionHolder();
  using device = openDevice(sys);
  using memfd = Fd.of(sys, sys.memfd_create("cache", 0), "memfd_create");
  for (let at = 0; at < cache.length;) at += writeSome(memfd, cache.subarray(at));
  holder.preserveAll(device, SESSION, [[TOKEN, memfd]]);
  return holder;
}

/** A write can be short, and can be interrupted. */
function writeSome({ sys, number }: Fd, bytes: Uint8Array): number {
  try {
    return check(sys.write(number, bytes), "write", "the cache");
  } catch (error) {
    if (error instanceof LuoError && error.is("EINTR")) return 0;
    throw error;
  }
}

/** The service: the cache that the previous kernel handed over, or undefined. */
function loadCache(sys: SystemCalls): Uint8Array | undefined {
  using device = openDevice(sys);
  try {
    return device.restoreAll(SESSION, (session) => {
      using memfd = session.restore(TOKEN);
      const bytes = new Uint8Array(1 << 16);
      return bytes.subarray(0, check(sys.pread(memfd.number, bytes, 0n), "pread", "the cache"));
    });
  } catch (error) {
    if (error instanceof LuoError && error.operation === "retrieve" && error.is("ENOENT")) return undefined;
    throw error;
  }
}

const CACHE = new Uint8Array(10_000).map((_, index) => index);

liveUpdateTest(
  "the cache is there after the kexec",
  ({ sys }) => void saveCache(sys, CACHE),
  ({ sys }) => assert.deepEqual(loadCache(sys), CACHE),
);

Deno.test("writes that are short or interrupted make no difference", () => {
  const machine = new Machine({ faults: "seed=3,write@1/3=short:100,write@1/4=EINTR" });
  machine.run((sys) => saveCache(sys, CACHE));
  machine.kexec();
  machine.run((sys) => assert.deepEqual(loadCache(sys), CACHE));
});

Deno.test("without a session the cache is empty", () => {
  assert.equal(loadCache(new Machine().init()), undefined);
});

Deno.test("a cache that could not be read is not lost", () => {
  const machine = new Machine();
  machine.run((sys) => saveCache(sys, CACHE));
  machine.kexec();
  const sys = machine.init();
  using device = openDevice(sys);
  {
    using _ = machine.inject("pread@1=EIO");
    assert.throws(() => device.restoreAll(SESSION, (session) => read(session.restore(TOKEN))), {
      code: "EIO",
    });
  }
  assert.equal(device.restoreAll(SESSION, (session) => read(session.restore(TOKEN))), CACHE.length);
});

function read({ sys, number }: Fd): number {
  return check(sys.pread(number, new Uint8Array(1 << 16), 0n), "pread", "the cache");
}

Deno.test("nothing is left open, and no memory in use", () => {
  const machine = new Machine();
  const before = machine.memoryInUse;
  machine.run((sys) => saveCache(sys, CACHE));
  assert.deepEqual(machine.openFiles().map(({ link }) => link), ["anon_inode:[luo_session] cache"]);
  machine.kexec();
  machine.run(loadCache);
  assert.deepEqual(machine.openFiles(), []);
  assert.ok(machine.memoryInUse - before < 64 * 1024);
  assert.deepEqual(machine.audit(), []);
});
