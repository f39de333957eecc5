/** The machine of ./testing: what a test of an application asks of it. No permission is needed. */
import assert from "node:assert/strict";
import { check, Fd, LuoError, openDevice, type SystemCalls } from "../../lib/luo.ts";
import { Machine, MemoryDisk, standInBzImage } from "../../lib/testing.ts";

const PAGE = 4096;

function memfd(sys: SystemCalls, bytes: number): Fd {
  const fd = Fd.of(sys, sys.memfd_create("state", 0), "memfd_create");
  check(sys.write(fd.number, new Uint8Array(bytes).fill(1)), "write", "the state");
  return fd;
}

/** Leaves session "s" open, with a file of a page. */
function save(sys: SystemCalls): void {
  using device = openDevice(sys);
  using file = memfd(sys, PAGE);
  device.create("s").preserve(file, 1n);
}

Deno.test("the disk is an empty one in memory, and not the host's", () => {
  const sys = new Machine().init();
  assert.throws(() => Fd.of(sys, sys.open(import.meta.filename ?? "", 0), "open"), { code: "ENOENT" });
  const own = new Machine({ disk: new MemoryDisk({ "/boot/next": standInBzImage({ release: "next" }) }) })
    .init();
  assert.ok(own.open("/boot/next", 0) >= 0);
});

Deno.test("run says how a program ended", () => {
  const machine = new Machine({ release: "7.3.4" });
  assert.deepEqual(machine.run((sys) => sys.uname().release), { end: "returned", value: "7.3.4" });
  assert.deepEqual(machine.run(() => machine.kexec({ release: "7.3.5" }) && machine.init().getpid() + 1), {
    end: "returned",
    value: 2,
  });
  {
    using _ = machine.inject("memfd_create@1=crash");
    assert.deepEqual(machine.run((sys) => sys.memfd_create("", 0)), { end: "killed" });
  }
  assert.throws(() => machine.run(() => assert.fail("mine")), /mine/);
});

Deno.test("a machine of arm64 goes from one arm64 Image to the next", () => {
  const machine = new Machine({ architecture: "aarch64" });
  assert.equal(machine.kexec({ release: "7.3.5" }).end, "kexec");
  const { machine: architecture, release } = machine.init().uname();
  assert.deepEqual([architecture, release], ["aarch64", "7.3.5"]);
});

Deno.test("run names the reset that ended the kernel", () => {
  const machine = new Machine();
  machine.run(save);
  const end = machine.run((sys) => {
    machine.kexec();
    sys.getpid();
  });
  assert.deepEqual(end, { end: "kexec" });
  assert.equal(machine.boots, 2);
});

Deno.test("a kexec into a kernel of another format is a panic", () => {
  const machine = new Machine({ release: "7.3.4" });
  machine.run(save);
  assert.equal(machine.kexec({ release: "7.3.4-luo-v4" }).end, "panic");
  assert.ok(machine.off);
  assert.match(machine.panic ?? "", /The incoming tree failed to initialize/);
});

Deno.test("injected faults count from now, in any boot, and end with their block", () => {
  const machine = new Machine();
  machine.run(save);
  machine.kexec();
  const sys = machine.init();
  {
    using _ = machine.inject("write@2=ENOSPC");
    memfd(sys, 1);
    assert.throws(() => memfd(sys, 1), (error) => error instanceof LuoError && error.is("ENOSPC"));
  }
  memfd(sys, 1);
  {
    using _ = machine.inject("ioctl@1=EMFILE");
    machine.kexec();
    assert.throws(() => openDevice(machine.init()).create("s"), { code: "EMFILE" });
  }
  assert.throws(() => machine.inject("write=ENOENT"), { name: "BadFaultSpec" });
});

Deno.test("reads and writes can be short", () => {
  const machine = new Machine({ faults: "write=short:10,pread@2=short:3" });
  const sys = machine.init();
  const fd = Fd.of(sys, sys.memfd_create("state", 0), "memfd_create");
  assert.equal(sys.write(fd.number, new Uint8Array(100)), 10);
  assert.equal(sys.write(fd.number, new Uint8Array(4)), 4);
  assert.equal(sys.pread(fd.number, new Uint8Array(100), 0n), 14);
  assert.equal(sys.pread(fd.number, new Uint8Array(100), 0n), 3);
});

Deno.test("what a program has open, and the memory of its files", () => {
  const machine = new Machine();
  const before = machine.memoryInUse;
  assert.deepEqual(machine.openFiles(), []);
  machine.run(save);
  assert.deepEqual(machine.openFiles().map(({ link }) => link), ["anon_inode:[luo_session] s"]);
  assert.ok(machine.memoryInUse >= before + PAGE);
  machine.kexec();
  assert.ok(machine.memoryInUse >= before + PAGE, "the file waits in the kernel");
  machine.run((sys) => openDevice(sys).restoreAll("s", (session) => session.restore(1n).close()));
  assert.deepEqual(machine.openFiles().map(({ link }) => link), ["/dev/liveupdate"]);
  const child = machine.spawn();
  memfd(child, 3 * PAGE);
  assert.equal(machine.openFiles(child.getpid()).length, 1);
  assert.equal(child.getpid(), 2);
  machine.kill(2);
  assert.deepEqual(machine.openFiles(2), []);
});
