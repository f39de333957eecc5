/** Faults in the kernel, in system calls and in the handover: nothing leaks, and files are complete or missing. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { Errno } from "../../ffi/abi/errno.ts";
import * as abi from "../../ffi/abi/fcntl.ts";
import { KEXEC_FILE_NO_INITRAMFS, LINUX_REBOOT_CMD_KEXEC } from "../../ffi/abi/kexec.ts";
import { LuoError } from "../../lib/error.ts";
import { ProcessKilled, type SystemCalls } from "../../lib/system_calls.ts";
import { MemoryDisk } from "../../lib/model/fs/disk.ts";
import { parse_faults } from "../../lib/model/faults/fault_spec.ts";
import { audit } from "../../lib/model/audit.ts";
import { Machine } from "../../lib/model/machine.ts";
import { Fd } from "../../lib/fd.ts";
import { openDevice } from "../../lib/session.ts";
import { image } from "./image.ts";

const PAGE = 4096;

function machine(faults: string, sleep?: (ms: number) => void): Machine {
  const disk = new MemoryDisk({ "/k": image() });
  return new Machine({ memory_bytes: 16 << 20, disk, faults: parse_faults(faults), sleep });
}

/** The contents of file `token`: three pages, the middle one a hole. */
function contents(token: bigint): Uint8Array {
  const bytes = new Uint8Array(3 * PAGE);
  bytes.fill(Number(token), 0, PAGE);
  bytes.fill(Number(token) + 1, 2 * PAGE);
  return bytes;
}

function file(sys: SystemCalls, token: bigint): number {
  const fd = sys.memfd_create("f", abi.MFD_EXEC);
  const bytes = contents(token);
  sys.pwrite(fd, bytes.subarray(0, PAGE), 0n);
  sys.pwrite(fd, bytes.subarray(2 * PAGE), BigInt(2 * PAGE));
  return fd;
}

function kexec(sys: SystemCalls): number {
  const line = new TextEncoder().encode("liveupdate=on\0");
  const fd = sys.open("/k", abi.O_RDONLY);
  const loaded = sys.kexec_file_load(fd, -1, BigInt(line.length), line, BigInt(KEXEC_FILE_NO_INITRAMFS));
  sys.close(fd);
  return loaded < 0 ? loaded : sys.reboot(LINUX_REBOOT_CMD_KEXEC);
}

Deno.test("the n-th allocation fails: ENOMEM, nothing changed, and the next try works", () => {
  let failed = true;
  for (let n = 1; failed; n++) {
    const m = machine(`alloc@${n}=ENOMEM`);
    const sys = m.init();
    const tried: string[] = [];
    const again = <T>(what: string, run: () => T): T => {
      try {
        return run();
      } catch (error) {
        assert.ok(error instanceof LuoError && error.is("ENOMEM"), `${what}: ${error}`);
        tried.push(what);
        return run();
      }
    };
    const device = openDevice(sys);
    const session = again("create", () => device.create("s"));
    for (const token of [1n, 3n]) {
      const fd = sys.memfd_create("f", abi.MFD_EXEC);
      for (const at of [0, 2 * PAGE]) {
        const bytes = contents(token).subarray(at, at + PAGE);
        const wrote = sys.pwrite(fd, bytes, BigInt(at));
        if (wrote === PAGE) continue;
        assert.equal(wrote, -Errno.ENOMEM);
        tried.push("write");
        assert.equal(sys.pwrite(fd, bytes, BigInt(at)), PAGE);
      }
      again("preserve", () => session.preserve(new Fd(sys, fd), token));
    }
    // Two files need blocks, pages, lists and structs, so the first run without a failure comes after a dozen
    // allocations.
    failed = tried.length > 0;
    assert.ok(tried.length <= 1 && (failed || n > 12), `allocation ${n}: ${tried}`);
    assert.deepEqual(audit(m), []);
    m.kill(sys.getpid());
    assert.deepEqual(audit(m), []);
  }
});

Deno.test("a handler can refuse in preserve, freeze, retrieve and can_finish", () => {
  const m = machine("preserve@1=EIO,freeze@2=EBUSY,retrieve@2=EIO,can_finish@1=EBUSY");
  const sys = m.init();
  const session = openDevice(sys).create("s");
  const fds = [file(sys, 1n), file(sys, 3n)] as const;
  assert.throws(() => session.preserve(new Fd(sys, fds[0]), 1n), { errno: Errno.EIO });
  assert.equal(sys.ftruncate(fds[0], BigInt(4 * PAGE)), 0, "not frozen");
  assert.equal(sys.ftruncate(fds[0], BigInt(3 * PAGE)), 0);
  session.preserve(new Fd(sys, fds[0]), 1n);
  session.preserve(new Fd(sys, fds[1]), 3n);
  assert.equal(kexec(sys), -Errno.EBUSY);
  assert.throws(() => kexec(sys), ProcessKilled);
  const next = openDevice(m.init()).retrieve("s");
  next.restore(1n);
  for (let i = 0; i < 2; i++) assert.throws(() => next.restore(3n), { errno: Errno.EIO }, "the errno stays");
  assert.throws(() => next.finish(), { errno: Errno.EBUSY });
  next.finish();
  m.kill(m.init().getpid());
  assert.deepEqual(audit(m), []);
});

Deno.test("a page lost in the kexec gives EIO for its file; the other file is complete", () => {
  const m = machine("page@1=lost");
  const session = openDevice(m.init()).create("s");
  for (const token of [1n, 3n]) session.preserve(new Fd(session.fd.sys, file(m.init(), token)), token);
  assert.throws(() => kexec(m.init()), ProcessKilled);
  const next = openDevice(m.init()).retrieve("s");
  const answers = [1n, 3n].map((token) => {
    try {
      return whole(m.init(), next.restore(token).number, token);
    } catch (error) {
      return error instanceof LuoError && error.errno;
    }
  });
  assert.deepEqual(new Set(answers), new Set([true, Errno.EIO]));
  m.kill(m.init().getpid());
  assert.deepEqual(audit(m), []);
});

function whole(sys: SystemCalls, fd: number, token: bigint): boolean {
  const bytes = new Uint8Array(3 * PAGE + 1);
  assert.equal(sys.pread(fd, bytes, 0n), 3 * PAGE);
  assert.deepEqual(bytes.subarray(0, 3 * PAGE), contents(token));
  return true;
}

Deno.test("a refused load keeps the image loaded before", () => {
  const m = machine("kexec_file_load@2=ENOEXEC,reboot@1=EBUSY");
  const sys = m.init();
  assert.equal(kexec(sys), -Errno.EBUSY);
  assert.equal(kexec(sys), -Errno.ENOEXEC);
  assert.throws(() => sys.reboot(LINUX_REBOOT_CMD_KEXEC), ProcessKilled);
});

Deno.test("a call can be interrupted, be slow, or be the last one of its process", () => {
  const slept: number[] = [];
  const m = machine("write@1=EINTR,write@2=slow:30,write@3=crash", (ms) => slept.push(ms));
  const sys = m.init();
  const fd = sys.memfd_create("f", abi.MFD_EXEC);
  const bytes = new Uint8Array(PAGE);
  assert.equal(sys.write(fd, bytes), -Errno.EINTR);
  assert.equal(sys.lseek(fd, 0n, abi.SEEK_CUR), 0n, "nothing was done");
  assert.equal(sys.write(fd, bytes), PAGE);
  assert.deepEqual(slept, [30]);
  assert.throws(() => sys.write(fd, bytes), ProcessKilled);
  assert.throws(() => sys.getpid(), ProcessKilled);
  assert.deepEqual(audit(m), []);
});

/** A live update of two sessions that goes on whatever fails. */
function prepare(sys: SystemCalls): void {
  const device = openDevice(sys);
  for (const name of ["a", "b"]) {
    const session = attempt(() => device.create(name));
    for (const token of [1n, 3n, 5n]) {
      attempt(() => session?.preserve(Fd.of(sys, file(sys, token), "memfd_create"), token));
    }
  }
  for (let i = 0; i < 3; i++) kexec(sys);
}

/** Undefined when the call failed with an errno. Any other error is thrown on. */
function attempt<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof LuoError) return undefined;
    throw error;
  }
}

function alive(run: () => void): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof ProcessKilled || error instanceof LuoError)) throw error;
  }
}

const when = fc.oneof(
  fc.integer({ min: 1, max: 60 }).map(String),
  fc.integer({ min: 2, max: 20 }).map((k) => `1/${k}`),
);
const what = fc.constantFrom(
  "alloc#=ENOMEM",
  "preserve#=EIO",
  "freeze#=EIO",
  "retrieve#=EIO",
  "can_finish#=EBUSY",
  "page#=lost",
  "call#=crash",
  "ioctl#=EMFILE",
  "pwrite#=EINTR",
  "memfd_create#=ENFILE",
  "kexec_file_load#=ENOMEM",
);

Deno.test("no fault leaks a page or frees one twice, and a file is complete or missing", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(what, when), { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 1, max: 1e6 }),
      (rules, seed) => {
        const m = machine([`seed=${seed}`, ...rules.map(([rule, at]) => rule.replace("#", `@${at}`))].join());
        alive(() => prepare(m.init()));
        assert.deepEqual(audit(m), []);
        alive(() => retrieve_all(m));
        assert.deepEqual(audit(m), []);
        for (const pid of [...m.system.processes.keys()]) m.kill(pid);
        assert.deepEqual(audit(m), []);
      },
    ),
    { numRuns: 150 },
  );
});

/** Retrieves every file in a fresh process, and checks the contents of those that it gets. */
function retrieve_all(m: Machine): void {
  if (m.boots === 1) return;
  const sys = m.spawn();
  const device = openDevice(sys);
  for (const name of ["a", "b"]) {
    const session = attempt(() => device.retrieve(name));
    for (const token of [1n, 3n, 5n]) {
      const fd = attempt(() => session?.restore(token).number);
      if (fd === undefined) continue;
      const bytes = new Uint8Array(3 * PAGE);
      const got = sys.pread(fd, bytes, 0n);
      // A write that failed left zeros, never other bytes.
      const right = contents(token);
      assert.ok(bytes.subarray(0, got).every((byte, i) => byte === 0 || byte === right[i]));
    }
  }
}

Deno.test("after a corrupt handover the kernel panics, boots without it, or loses files; the model never fails", () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e6 }), (seed) => {
      const m = machine(`seed=${seed},handover=corrupt`);
      alive(() => prepare(m.init()));
      if (m.off) {
        assert.match(m.console.at(-1) ?? "", /^Kernel panic - not syncing: /);
        seen.add("panic");
        return;
      }
      alive(() => retrieve_some(m));
      for (const pid of [...m.system.processes.keys()]) m.kill(pid);
      assert.deepEqual(audit(m), []);
      seen.add("up");
    }),
    { numRuns: 150 },
  );
  assert.deepEqual(seen, new Set(["panic", "up"]));
});

/**
 * Retrieves every file. The contents may be wrong, because a handover has no checksums; only the kernel's own state is
 * checked.
 */
function retrieve_some(m: Machine): void {
  const sys = m.spawn();
  const device = openDevice(sys);
  for (const name of ["a", "b"]) {
    const session = attempt(() => device.retrieve(name));
    for (const token of [1n, 3n, 5n]) attempt(() => session?.restore(token));
  }
}
