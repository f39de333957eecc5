/** Whole live updates of a machine: what the next kernel has, and what is gone. */
import assert from "node:assert/strict";
import { Errno } from "../../ffi/abi/errno.ts";
import * as abi from "../../ffi/abi/fcntl.ts";
import { KEXEC_FILE_NO_INITRAMFS, LINUX_REBOOT_CMD_KEXEC } from "../../ffi/abi/kexec.ts";
import { ProcessKilled, type SystemCalls } from "../../lib/system_calls.ts";
import { MemoryDisk } from "../../lib/model/fs/disk.ts";
import { Machine, type MachineOptions } from "../../lib/model/machine.ts";
import { Fd } from "../../lib/fd.ts";
import { openDevice } from "../../lib/session.ts";
import { image } from "./image.ts";

const flags = abi.MFD_CLOEXEC | abi.MFD_ALLOW_SEALING | abi.MFD_EXEC;

function machine(options: MachineOptions = {}): Machine {
  return new Machine({
    memory_bytes: 64 << 20,
    disk: new MemoryDisk({ "/boot/vmlinuz": image() }),
    ...options,
  });
}

function load(sys: SystemCalls, command_line: string): void {
  const fd = sys.open("/boot/vmlinuz", abi.O_RDONLY);
  const line = new TextEncoder().encode(`${command_line}\0`);
  const answer = sys.kexec_file_load(fd, -1, BigInt(line.length), line, BigInt(KEXEC_FILE_NO_INITRAMFS));
  assert.equal(answer, 0);
  sys.close(fd);
}

function kexec(sys: SystemCalls): void {
  assert.throws(() => sys.reboot(LINUX_REBOOT_CMD_KEXEC), ProcessKilled);
}

/** A memfd that contains `text`, with its position after the text. */
function memfd(sys: SystemCalls, text: string): number {
  const fd = sys.memfd_create("data", flags);
  assert.equal(sys.write(fd, new TextEncoder().encode(text)), text.length);
  return fd;
}

function contents(sys: SystemCalls, fd: number): string {
  const bytes = new Uint8Array(100);
  return new TextDecoder().decode(bytes.subarray(0, sys.pread(fd, bytes, 0n)));
}

/** A session `vm` with one file, and the loaded image. The process holds the fds until the kexec. */
function prepare(sys: SystemCalls, command_line = "liveupdate=on"): void {
  const session = openDevice(sys).create("vm");
  session.preserve(new Fd(sys, memfd(sys, "hello")), 7n);
  load(sys, command_line);
}

/** The page frames of files: all that the kernel does not own and that do not wait to be restored. */
function file_frames({ ram, system }: Machine): number {
  return ram.used_frames - ram.unclaimed_frames - system.own_frames;
}

Deno.test("the next kernel has a preserved memfd with its contents, size and position", () => {
  const m = machine();
  prepare(m.init());
  kexec(m.init());
  const session = openDevice(m.init()).retrieve("vm");
  const file = session.restore(7n);
  assert.equal(contents(m.init(), file.number), "hello");
  assert.equal(m.init().lseek(file.number, 0n, abi.SEEK_CUR), 5n);
  assert.equal(m.init().readlink(`/proc/self/fd/${file.number}`), "/ (deleted)");
  session.finish();
  assert.equal(contents(m.init(), file.number), "hello");
});

Deno.test("the next kernel has the image's release, and its console names the previous kernel", () => {
  const m = machine({ release: "7.3.4" });
  prepare(m.init());
  kexec(m.init());
  assert.equal(m.init().uname().release, "7.3.4-next");
  assert.ok(m.console.includes("KHO: exec from: 7.3.4 (count 1)"));
  assert.ok(m.console.includes("luo: Retrieved live update data, liveupdate number: 1"));
});

Deno.test("of a long console the machine keeps the newest lines, over kexecs too", () => {
  const m = machine();
  const fd = m.init().open("/dev/kmsg", abi.O_RDWR);
  for (let line = 1; line <= 20_000; line++) m.init().write(fd, new TextEncoder().encode(`line ${line}`));
  assert.ok(m.console.length < 10_000, `${m.console.length} lines are kept`);
  const newest = Array.from({ length: 4096 }, (_, index) => `line ${20_000 - 4095 + index}`);
  assert.deepEqual(m.console.slice(-4096), newest);
  const log = m.init().open("/dev/kmsg", abi.O_RDONLY);
  const text = new Uint8Array(1000);
  assert.equal(m.init().read(log, text), -Errno.EPIPE);
  const lines: number[] = [];
  for (let got; (got = m.init().read(log, text)) > 0;) {
    lines.push(Number(/line (\d+)/.exec(new TextDecoder().decode(text.subarray(0, got)))?.[1]));
  }
  assert.ok(lines.length >= 4096 && lines.length < 10_000, `${lines.length} lines are in the log`);
  assert.equal(lines.at(-1), 20_000);
  prepare(m.init());
  kexec(m.init());
  assert.ok(m.console.includes("line 20000"));
});

for (const command_line of ["", "liveupdate=off", "liveupdate=on kho=off"]) {
  Deno.test(`without LUO in the next kernel (${JSON.stringify(command_line)}) the data is lost`, () => {
    const m = machine();
    prepare(m.init(), command_line);
    kexec(m.init());
    assert.equal(m.init().open("/dev/liveupdate", abi.O_RDWR), -Errno.ENOENT);
    load(m.init(), "liveupdate=on");
    kexec(m.init());
    assert.throws(() => openDevice(m.init()).retrieve("vm"), { errno: Errno.ENOENT });
    assert.equal(file_frames(m), 0);
    assert.ok(
      m.ram.unclaimed_frames <= 3,
      "KHO's tree, its metadata and LUO's page of FLBs are never freed",
    );
  });
}

Deno.test("only preserved page frames survive", () => {
  const m = machine();
  memfd(m.init(), "lost");
  prepare(m.init());
  // The list of the preserved file's pages takes a page too.
  assert.equal(file_frames(m), 3);
  kexec(m.init());
  assert.equal(file_frames(m), 0);
  const device = openDevice(m.init());
  const waiting = m.ram.unclaimed_frames;
  device.retrieve("vm").finish();
  // Frees the file's page, the list, the chunk of the list, the struct, and the block of the session's files.
  assert.equal(m.ram.unclaimed_frames, waiting - 5, "a file never retrieved is freed by FINISH");
  assert.equal(file_frames(m), 0);
});

Deno.test("a session that is not retrieved is not handed over to the kernel after the next", () => {
  const m = machine();
  prepare(m.init());
  kexec(m.init());
  load(m.init(), "liveupdate=on");
  kexec(m.init());
  assert.throws(() => openDevice(m.init()).retrieve("vm"), { errno: Errno.ENOENT });
  assert.equal(m.ram.unclaimed_frames, 3);
});

Deno.test("the kexec ends all processes of the old kernel: every call throws", () => {
  const m = machine();
  const other = m.spawn();
  const fd = memfd(other, "x");
  prepare(m.init());
  const before = m.init();
  kexec(before);
  for (const process of [before, other]) {
    assert.throws(() => process.getpid(), ProcessKilled);
    assert.throws(() => process.close(fd), ProcessKilled);
    assert.throws(() => process.uname(), ProcessKilled);
  }
});

Deno.test("a killed process closes its sessions: their files are unpreserved, and their frames freed", () => {
  const m = machine();
  const holder = m.spawn();
  prepare(holder);
  assert.ok(m.kill(holder.getpid()));
  assert.throws(() => holder.getpid(), ProcessKilled);
  assert.equal(file_frames(m), 0);
  openDevice(m.init()).create("vm");
});

Deno.test("an fd in flight keeps its session alive", () => {
  const m = machine();
  const holder = m.spawn();
  const device = openDevice(holder);
  const session = device.create("vm");
  device.close();
  const pair = m.init().socketpair();
  assert.ok(typeof pair === "object");
  const stolen = m.init().pidfd_getfd(m.init().pidfd_open(holder.getpid(), 0), session.fd.number, 0);
  assert.equal(m.init().sendmsg(pair[0], new Uint8Array(1), [stolen]), 1);
  m.init().close(stolen);
  m.kill(holder.getpid());
  const again = openDevice(m.init());
  assert.throws(() => again.create("vm"), { errno: Errno.EEXIST });
  const got = m.init().recvmsg(pair[1], new Uint8Array(1), 1);
  assert.ok(typeof got === "object" && got.fds[0] !== undefined);
  m.init().close(got.fds[0]);
  again.create("vm");
});
