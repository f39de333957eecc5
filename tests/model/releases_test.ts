/** Kernels of different releases in a row: which formats fit, and the limits of each release. */
import assert from "node:assert/strict";
import { Errno } from "../../ffi/abi/errno.ts";
import * as abi from "../../ffi/abi/fcntl.ts";
import { KEXEC_FILE_NO_INITRAMFS, LINUX_REBOOT_CMD_KEXEC } from "../../ffi/abi/kexec.ts";
import { ProcessKilled, type SystemCalls } from "../../lib/system_calls.ts";
import { MemoryDisk } from "../../lib/model/fs/disk.ts";
import { Machine } from "../../lib/model/machine.ts";
import { Fd } from "../../lib/fd.ts";
import { openDevice } from "../../lib/session.ts";
import { image } from "./image.ts";

/** A machine that runs `release`; `next` is the release of the image on its disk. */
function machine(release: string, next = release): Machine {
  return new Machine({ memory_bytes: 64 << 20, release, disk: new MemoryDisk({ "/k": image(next) }) });
}

function memfd(sys: SystemCalls, text: string): number {
  const fd = sys.memfd_create("m", abi.MFD_EXEC | abi.MFD_ALLOW_SEALING);
  sys.write(fd, new TextEncoder().encode(text));
  return fd;
}

/** Creates a session "vm" with one sealed memfd of five bytes, and does the kexec. */
function live_update(m: Machine, command_line = "liveupdate=on"): void {
  const sys = m.init();
  const fd = memfd(sys, "bytes");
  sys.fcntl(fd, abi.F_ADD_SEALS, abi.F_SEAL_GROW);
  openDevice(sys).create("vm").preserve(new Fd(sys, fd), 1n);
  kexec(m, command_line);
}

function kexec(m: Machine, command_line = "liveupdate=on"): void {
  const sys = m.init();
  const line = new TextEncoder().encode(`${command_line}\0`);
  const k = sys.open("/k", abi.O_RDONLY);
  sys.kexec_file_load(k, -1, BigInt(line.length), line, BigInt(KEXEC_FILE_NO_INITRAMFS));
  assert.throws(() => sys.reboot(LINUX_REBOOT_CMD_KEXEC), ProcessKilled);
}

function incoming(m: Machine) {
  return openDevice(m.init()).retrieve("vm");
}

for (const [from, to] of [["7.3.4", "7.2.12"], ["7.2.12", "7.3.4"], ["6.19.2", "6.19.5"]] as const) {
  Deno.test(`${from} to ${to} fits`, () => {
    const m = machine(from, to);
    live_update(m);
    const sys = m.init();
    assert.equal(sys.uname().release, to);
    const fd = incoming(m).restore(1n).number;
    const seals = sys.fcntl(fd, abi.F_GET_SEALS);
    assert.equal(seals, from.startsWith("6") ? 0 : abi.F_SEAL_GROW, "memfd-v2 hands seals over");
  });
}

Deno.test("a kernel with another KHO format boots as if nothing had been handed over", () => {
  const m = machine("7.3.4", "6.19.2");
  live_update(m);
  assert.throws(() => incoming(m), { errno: Errno.ENOENT });
  m.kill(m.init().getpid());
  assert.equal(m.ram.used_frames, m.system.own_frames);
  assert.match(m.console.join("\n"), /handover FDT \(0x\w+\) is incompatible with 'kho-v1'/);
});

Deno.test("a kernel with another LUO format panics early, even without sessions, and the machine is off", () => {
  for (const line of ["liveupdate=on", "liveupdate=off", "panic=0"]) {
    const m = machine("7.3.4", "7.3.4-luo-v4");
    kexec(m, line);
    assert.ok(m.off);
    const console = m.console.slice(-2);
    assert.equal(console[0], "luo: LUO state is incompatible with 'luo-v4'");
    assert.match(console[1] ?? "", /^Kernel panic - not syncing: The incoming tree failed to initialize/);
    assert.throws(() => m.init(), /dead/);
  }
});

Deno.test("kho=off avoids the panic, and panic=-1 restarts the machine: the data is lost either way", () => {
  const off = machine("7.3.4", "7.3.4-luo-v4");
  live_update(off, "kho=off");
  assert.equal(off.off, false);
  const restarted = machine("7.3.4", "7.3.4-luo-v4");
  live_update(restarted, "liveupdate=on panic=-1");
  assert.equal(restarted.boots, 3);
  assert.throws(() => incoming(restarted), { errno: Errno.ENOENT });
});

Deno.test("the v6 series boots without LUO where mainline panics", () => {
  const m = machine("6.18.0-series-v6", "6.18.0-series-v6-luo-v9");
  live_update(m);
  assert.equal(m.off, false);
  assert.equal(m.init().open("/dev/liveupdate", abi.O_RDWR), -Errno.ENOENT);
  assert.match(m.console.join("\n"), /disabling live update/);
});

Deno.test("a file of an unknown format makes every open of the device fail with EIO", () => {
  const m = machine("7.3.4", "7.3.4-memfd-v3");
  live_update(m);
  for (let i = 0; i < 2; i++) assert.equal(m.init().open("/dev/liveupdate", abi.O_RDWR), -Errno.EIO);
  assert.match(m.console.join("\n"), /No registered handler for compatible 'memfd-v2'/);
});

Deno.test("a kernel from before LUO has no device, and preserved memory is free", () => {
  const m = machine("7.3.4", "6.12.1");
  live_update(m);
  assert.equal(m.init().open("/dev/liveupdate", abi.O_RDWR), -Errno.ENOENT);
  assert.equal(m.ram.used_frames, m.system.own_frames);
});

Deno.test("6.19 has room for 744 sessions (then ENOMEM) and 128 files (then ENOSPC)", () => {
  const sys = machine("6.19.2").init();
  const device = openDevice(sys);
  const session = device.create("s0");
  for (let i = 1; i < 744; i++) device.create(`s${i}`);
  assert.throws(() => device.create("one more"), { errno: Errno.ENOMEM });
  for (let token = 0n; token < 128n; token++) session.preserve(new Fd(sys, memfd(sys, "")), token);
  assert.throws(() => session.preserve(new Fd(sys, memfd(sys, "")), 128n), { errno: Errno.ENOSPC });
  assert.throws(
    () => session.preserve(new Fd(sys, 9999), 128n),
    { errno: Errno.ENOSPC },
    "room is checked before the fd",
  );
});

Deno.test("GET_NAME came after 6.19, which gives EINVAL for its number", () => {
  const GET_NAME = 0xba43;
  const struct = new Uint8Array(72);
  new DataView(struct.buffer).setUint32(0, 72, true);
  for (const [release, answer] of [["6.19.2", -Errno.EINVAL], ["7.3.4", 0]] as const) {
    const sys = machine(release).init();
    const session = openDevice(sys).create("s");
    assert.equal(sys.ioctl(session.fd.number, GET_NAME, struct), answer);
  }
});

Deno.test("the v6 series has names of 56 bytes, and a longer buffer must end in zeros", () => {
  const CREATE = 0xba00;
  const sys = machine("6.18.0-series-v6").init();
  const device = openDevice(sys);
  const create = (name: string, size: number) => {
    const struct = new Uint8Array(size);
    new DataView(struct.buffer).setUint32(0, size, true);
    struct.set(new TextEncoder().encode(name), 8);
    return sys.ioctl(device.fd.number, CREATE, struct);
  };
  assert.equal(create("n".repeat(55), 64), 0);
  assert.equal(create("m".repeat(55), 72), 0);
  assert.equal(create("n".repeat(56), 64), -Errno.EINVAL, "no NUL in 56 bytes");
  assert.equal(create("n".repeat(57), 72), -Errno.E2BIG);
});
