/** Boots of the model after a kexec: which memory the next kernel finds, and a damaged or missing handover. */
import assert from "node:assert/strict";
import { Errno } from "../../ffi/abi/errno.ts";
import * as abi from "../../ffi/abi/fcntl.ts";
import { KEXEC_FILE_NO_INITRAMFS, LINUX_REBOOT_CMD_KEXEC } from "../../ffi/abi/kexec.ts";
import { PAGE_SIZE } from "../../ffi/abi/page.ts";
import { audit } from "../../lib/model/audit.ts";
import { MemoryDisk } from "../../lib/model/fs/disk.ts";
import { Machine } from "../../lib/model/machine.ts";
import { Fd } from "../../lib/fd.ts";
import { openDevice } from "../../lib/session.ts";
import { ProcessKilled, type Stat, type SystemCalls } from "../../lib/system_calls.ts";
import { image } from "./image.ts";

function machine(): Machine {
  return new Machine({ memory_bytes: 64 << 20, disk: new MemoryDisk({ "/k": image() }) });
}

function kexec(sys: SystemCalls, command_line = "liveupdate=on"): void {
  const line = new TextEncoder().encode(`${command_line}\0`);
  const fd = sys.open("/k", abi.O_RDONLY);
  sys.kexec_file_load(fd, -1, BigInt(line.length), line, BigInt(KEXEC_FILE_NO_INITRAMFS));
  assert.throws(() => sys.reboot(LINUX_REBOOT_CMD_KEXEC), ProcessKilled);
}

Deno.test("the next kernel allocates from scratch only until it has read the map", () => {
  const m = machine();
  kexec(m.init());
  const [area] = m.system.kho?.scratch ?? [];
  assert.ok(area !== undefined);
  const line = new TextEncoder().encode("liveupdate=on");
  const holds = (frame: number) => line.every((byte, at) => m.ram.page(frame)?.[at] === byte);
  const where = Array.from({ length: m.ram.frames }, (_, frame) => frame).filter(holds);
  assert.equal(where.length, 1, "the command line needs memory early");
  assert.ok(where.every((frame) => frame >= area.base && frame < area.base + area.count));
});

for (const name of ["LUO", "kexec-metadata"]) {
  Deno.test(`the next kernel finds poison in place of an unpreserved blob: ${name}`, () => {
    const m = machine();
    const blob = m.system.kho?.blobs.find((blob) => blob.name === name) ?? assert.fail();
    m.system.kho?.unpreserve_folio(Number(blob.address) / PAGE_SIZE, 0);
    kexec(m.init());
    if (name === "LUO") assert.match(m.panic ?? "", /incoming tree failed/);
    else {assert.ok(
        !m.console.some((line) => line.includes("exec from")),
        "the kernel does not know where it comes from",
      );}
  });
}

Deno.test("pages after the end of a file are not preserved, and another file can use them", () => {
  const m = new Machine({ memory_bytes: 4 << 20, disk: new MemoryDisk({ "/k": image() }) });
  const sys = m.init();
  const small = sys.memfd_create("small", abi.MFD_EXEC);
  sys.write(small, new TextEncoder().encode("hello"));
  sys.fallocate(small, abi.FALLOC_FL_KEEP_SIZE, 0n, 40_960n);
  const session = openDevice(sys).create("vm");
  session.preserve(new Fd(sys, small), 1n);
  assert.equal(sys.ftruncate(small, 5n), 0, "truncating to the same size frees them");
  assert.deepEqual(audit(m), []);
  const large = sys.memfd_create("large", abi.MFD_EXEC);
  const page = new Uint8Array(PAGE_SIZE).fill(88);
  while (sys.write(large, page) === PAGE_SIZE);
  const { size } = sys.fstat(large) as Stat;
  sys.ftruncate(large, size - 40n * BigInt(PAGE_SIZE));
  session.preserve(new Fd(sys, large), 2n);
  kexec(sys);
  const next = openDevice(m.init()).retrieve("vm");
  assert.equal((m.init().fstat(next.restore(1n).number) as Stat).blocks, 8n);
  const into = new Uint8Array(PAGE_SIZE);
  const { number } = next.restore(2n);
  for (let at = 0n; m.init().pread(number, into, at) > 0; at += BigInt(PAGE_SIZE)) {
    assert.deepEqual(into, page);
  }
});

Deno.test("kho=off: memory that was handed over is reserved all the same, until the next kexec", () => {
  const m = machine();
  const fd = m.init().memfd_create("m", abi.MFD_EXEC);
  m.init().write(fd, new Uint8Array(10 * PAGE_SIZE));
  openDevice(m.init()).create("vm").preserve(new Fd(m.init(), fd), 1n);
  kexec(m.init(), "liveupdate=on kho=off");
  const said = m.console.slice(m.console.findLastIndex((line) => line.startsWith("Linux version")) + 2);
  assert.deepEqual(said, [
    "KHO: found kexec handover data.",
    "luo: Disabling liveupdate because KHO is disabled",
  ]);
  assert.ok(m.ram.unclaimed_frames >= 13);
  assert.deepEqual(audit(m), []);
  kexec(m.init());
  assert.equal(m.ram.unclaimed_frames, 0);
});

Deno.test("a kernel with too little memory for KHO prints an error and leaks nothing", () => {
  for (let frames = 258; frames < 330; frames++) {
    const m = new Machine({ memory_bytes: frames * PAGE_SIZE, disk: new MemoryDisk() });
    assert.deepEqual(audit(m), [], `${frames} frames`);
    assert.equal(m.system.luo === undefined, m.console.at(-1) === "KHO: failed to initialize: -12");
  }
});

Deno.test("a kernel whose handover leaves no memory for LUO prints an error", () => {
  const seen = new Set<string>();
  for (let pages = 1630; pages < 1660; pages++) {
    const m = new Machine({ memory_bytes: 8 << 20, disk: new MemoryDisk({ "/k": image() }) });
    const sys = m.init();
    const fd = sys.memfd_create("m", abi.MFD_EXEC);
    sys.write(fd, new Uint8Array(pages * PAGE_SIZE));
    try {
      openDevice(sys).create("vm").preserve(new Fd(sys, fd), 1n);
    } catch {
      continue;
    }
    kexec(sys);
    assert.deepEqual(audit(m), []);
    seen.add(m.system.luo === undefined ? m.console.at(-1) ?? "" : "LUO");
  }
  assert.ok(
    seen.has("LUO") && seen.has("luo: failed to allocate/preserve LUO state memory"),
    [...seen].join(),
  );
  for (const line of seen) assert.match(line, /^LUO$|^luo: failed|^KHO: failed/);
});

for (
  const [where, address] of [["after the end of memory", 1n << 40n], [
    "across a page's end",
    0x200ff0n,
  ]] as const
) {
  Deno.test(`the next kernel panics when LUO's struct lies ${where}`, () => {
    const m = machine();
    const kho = m.system.kho ?? assert.fail();
    const luo = kho.blobs.find(({ name }) => name === "LUO") ?? assert.fail();
    kho.remove_subtree(Number(luo.address));
    assert.deepEqual(kho.blobs.map(({ name }) => name), ["kexec-metadata"]);
    kho.add_subtree("LUO", Number(address), Number(luo.size));
    kexec(m.init());
    assert.match(m.panic ?? "", /incoming tree failed/);
  });
}

/** A machine after a kexec with `sessions` sessions, in which one name was created twice. */
function with_a_name_taken(sessions: number, raw: boolean, settle = false): Machine {
  const m = machine();
  const device = openDevice(m.init());
  for (let i = 0; i < sessions; i++) device.create(`s${i}`);
  if (raw) {
    const struct = new Uint8Array(72);
    new DataView(struct.buffer).setUint32(0, 72, true);
    struct.set(new TextEncoder().encode("s0"), 8);
    assert.equal(m.init().ioctl(device.fd.number, 0xba00, struct), -Errno.EEXIST);
  } else assert.throws(() => device.create("s0"), { errno: Errno.EEXIST });
  if (settle) device.settle();
  kexec(m.init());
  return m;
}

Deno.test("a name created twice after a full block makes the next kernel panic, as 7.3.4 does; not through the library", () => {
  assert.equal(with_a_name_taken(50, true).panic, undefined);
  const dead = with_a_name_taken(51, true);
  assert.match(dead.panic ?? "", /incoming tree failed/);
  assert.ok(dead.console.includes("luo: Block contains invalid entry count: 0"));
  for (const m of [with_a_name_taken(51, false), with_a_name_taken(51, true, true)]) {
    assert.equal(m.panic, undefined);
    openDevice(m.init()).retrieve("s50");
  }
});
