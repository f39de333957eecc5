/** Sessions of the library: mistakes are refused, and no block that fails loses data. */
import assert from "node:assert/strict";
import {
  exec,
  Fd,
  IncomingSession,
  loadImage,
  LuoError,
  openDevice,
  OutgoingSession,
  ProcessKilled,
  SessionHolder,
  type SystemCalls,
} from "../../lib/luo.ts";
import { standInBzImage } from "../../lib/kexec/bzimage.ts";
import { parse_faults } from "../../lib/model/faults/fault_spec.ts";
import { MemoryDisk } from "../../lib/model/fs/disk.ts";
import { Machine } from "../../lib/model/machine.ts";

function machine(faults = ""): Machine {
  return new Machine({
    faults: parse_faults(faults),
    disk: new MemoryDisk({ "/boot/next": standInBzImage({ release: "next" }) }),
  });
}

function memfd(sys: SystemCalls, text: string): Fd {
  const fd = Fd.of(sys, sys.memfd_create("state", 0), "memfd_create");
  sys.write(fd.number, new TextEncoder().encode(text));
  return fd;
}

function text({ sys, number }: Fd): string {
  const bytes = new Uint8Array(100);
  return new TextDecoder().decode(bytes.subarray(0, sys.pread(number, bytes, 0n)));
}

function kexec(sys: SystemCalls): void {
  using image = Fd.of(sys, sys.open("/boot/next", 0), "open", "/boot/next");
  loadImage(sys, { kernel: image, commandLine: "liveupdate=on" });
  assert.throws(() => exec(sys), ProcessKilled);
}

/** A machine in its second kernel, which was handed session "cache" with file 7. */
function updated(faults = ""): Machine {
  const m = machine(faults);
  openDevice(m.init()).create("cache").preserve(memfd(m.init(), "warm"), 7n);
  kexec(m.init());
  return m;
}

Deno.test("neither kind of session ends with a block", () => {
  for (const { prototype } of [OutgoingSession, IncomingSession]) assert.ok(!(Symbol.dispose in prototype));
});

Deno.test("a file descriptor of another process or kernel is refused, and nothing is preserved", () => {
  const m = machine();
  const sys = m.init();
  const [other, elsewhere] = [m.spawn(), machine().init()];
  const session = openDevice(sys).create("s");
  const own = memfd(sys, "mine");
  for (const foreign of [memfd(other, "theirs"), memfd(elsewhere, "another kernel's")]) {
    assert.equal(foreign.number + 2, own.number, "the same number is another file here");
    assert.throws(() => session.preserve(foreign, 1n), /belongs to another process, or to another kernel/);
    assert.throws(() => loadImage(sys, { kernel: foreign, commandLine: "" }), /belongs to another process/);
  }
  own.close();
  assert.throws(() => session.preserve(own, 1n), /closed or was given away/);
});

Deno.test("a token outside of u64 is a RangeError", () => {
  const m = updated();
  const session = openDevice(m.init()).retrieve("cache");
  const outgoing = machine().init();
  const created = openDevice(outgoing).create("s");
  for (const token of [-1n, 1n << 64n, (1n << 64n) + 7n]) {
    assert.throws(() => session.restore(token), RangeError);
    assert.throws(() => created.preserve(memfd(outgoing, ""), token), RangeError);
  }
  created.preserve(memfd(outgoing, ""), (1n << 64n) - 1n);
});

Deno.test("Fd.of throws the errno that the call answered, and no Fd has a number that is none", () => {
  const sys = machine().init();
  assert.throws(() => Fd.of(sys, sys.open("/none", 0), "open", "/none"), {
    name: "LuoError",
    code: "ENOENT",
    message: "Cannot open /none (ENOENT)",
  });
  assert.throws(
    () => new Fd(sys, -2),
    /^RangeError: -2 is no file descriptor but the errno ENOENT: use Fd.of$/,
  );
  assert.throws(() => new Fd(sys, 1.5), RangeError);
});

Deno.test("a message has the reason of its errno, on a line of its own", () => {
  const sys = machine().init();
  const session = openDevice(sys).create("s");
  const pipe = sys.pipe2(0);
  assert.ok(typeof pipe === "object");
  assert.throws(() => session.preserve(new Fd(sys, pipe[0]), 1n), {
    message:
      'Cannot preserve file 1 in session "s" (ENOENT)\n  the kernel preserves memfds and unlinked tmpfs files only',
    summary: 'Cannot preserve file 1 in session "s" (ENOENT)',
  });
  assert.match(
    new LuoError("open", "/dev/liveupdate", 16).message,
    /\n {2}another process has the device open$/,
  );
});

Deno.test("restoreAll finishes the session when its data is taken", () => {
  const sys = updated().init();
  const device = openDevice(sys);
  assert.equal(device.restoreAll("cache", (session) => text(session.restore(7n))), "warm");
  assert.throws(() => device.retrieve("cache"), { code: "ENOENT" });
});

Deno.test("restoreAll keeps a session whose data was not taken, for the next try", async () => {
  const sys = updated().init();
  const device = openDevice(sys);
  const fails = () => device.restoreAll("cache", (session) => assert.fail(text(session.restore(7n))));
  assert.throws(fails, /warm/);
  device.close();
  assert.throws(fails, /warm/);
  await assert.rejects(() => device.restoreAll("cache", () => Promise.reject(new Error("no"))), /no/);
  const slow = device.restoreAll("cache", async (session) => {
    await Promise.resolve();
    return text(session.restore(7n));
  });
  assert.throws(fails, /is being restored already/);
  assert.equal(await slow, "warm");
  assert.throws(fails, /closed/, "the session is finished, and the device closed");
});

Deno.test("a session whose finish is refused stays, and a second finish does nothing", () => {
  const m = updated("can_finish@1=EBUSY");
  const session = openDevice(m.init()).retrieve("cache");
  assert.throws(() => session.finish(), { code: "EBUSY" });
  assert.equal(text(session.restore(7n)), "warm");
  session.finish();
  session.finish();
  assert.ok(session.fd.closed);
});

Deno.test("a holder keeps its sessions for the kexec; all files of a session are preserved, or none", () => {
  const m = machine();
  const sys = m.init();
  const holder = new SessionHolder();
  {
    using device = openDevice(sys);
    using file = memfd(sys, "kept");
    holder.preserveAll(device, "kept", [[1n, file]]);
    assert.throws(() => holder.preserveAll(device, "none", [[1n, memfd(sys, "x")], [1n, memfd(sys, "y")]]), {
      code: "EEXIST",
    });
    holder.preserveAll(device, "forgotten", []);
    assert.equal(holder.forget("forgotten"), true);
    assert.equal(holder.forget("forgotten"), false);
    assert.deepEqual([...holder.sessions.keys()], ["kept"]);
  }
  kexec(sys);
  const device = openDevice(m.init());
  for (const name of ["none", "forgotten"]) assert.throws(() => device.retrieve(name), { code: "ENOENT" });
  assert.equal(device.restoreAll("kept", (session) => text(session.restore(1n))), "kept");
});
