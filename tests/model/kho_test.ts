/** Kexec handover in the model: the map, areas, scratch, and damaged or missing parts. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { Errno } from "../../ffi/abi/errno.ts";
import * as abi from "../../ffi/abi/fcntl.ts";
import { KEXEC_FILE_NO_INITRAMFS, LINUX_REBOOT_CMD_KEXEC } from "../../ffi/abi/kexec.ts";
import { encode_kho_v4 } from "../../lib/kho/kho_v4.ts";
import { decode_map, range_size } from "../../lib/kho/preserved_map.ts";
import { ProcessKilled, type Stat, type SystemCalls } from "../../lib/system_calls.ts";
import { MemoryDisk } from "../../lib/model/fs/disk.ts";
import { audit } from "../../lib/model/audit.ts";
import { blocks, Kho, reserve_scratch, restore_free } from "../../lib/model/kho/kho.ts";
import { Machine } from "../../lib/model/machine.ts";
import { PAGE_SIZE } from "../../ffi/abi/page.ts";
import { Physical } from "../../lib/model/memory/physical.ts";
import { block_of, radix_key, radix_tree } from "../../lib/model/kho/radix_tree.ts";
import { Ram } from "../../lib/model/memory/ram.ts";
import { POISON } from "../../lib/model/memory/section.ts";
import {
  preserve_vmalloc,
  restore_vmalloc,
  unpreserve_vmalloc,
  vcalloc,
  vfree,
} from "../../lib/model/kho/vmalloc_area.ts";
import { openDevice } from "../../lib/session.ts";
import { image } from "./image.ts";

function memory(frames: number, fails?: () => boolean): { ram: Ram; kho: Kho } {
  const ram = new Ram(frames * PAGE_SIZE, fails);
  ram.open([]);
  const kho = Kho.init(ram, { map: radix_tree, encode: encode_kho_v4 }, reserve_scratch(ram) ?? []);
  assert.ok(kho !== undefined);
  ram.up = true;
  return { ram, kho };
}

/** The blocks that the next kernel would read from the map. */
function preserved({ ram, kho }: { ram: Ram; kho: Kho }): Set<string> {
  const map = kho.preserved_blocks().map(([base, order]) => `${base}+${2 ** order}`);
  assert.deepEqual(new Set(map), new Set(ranges(ram, kho)), "two readers of one map");
  return new Set(map);
}

/** The same blocks, read by the codec of captures. */
function ranges(ram: Ram, kho: Kho): string[] {
  const tree = decode_map(new Physical(ram), BigInt(kho.map.address));
  return tree.ranges.flatMap((range) =>
    Array.from({ length: range.count }, (_, index) => {
      const size = range_size({ ...range, count: 1 });
      return `${(range.address + size * BigInt(index)) / BigInt(PAGE_SIZE)}+${2 ** range.order}`;
    })
  );
}

Deno.test("a key decodes to the block that it was made from", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 1 << 20 }), (order, index) => {
      const base = index * 2 ** order;
      assert.deepEqual(block_of(radix_key(base, order)), { base, order });
    }),
  );
});

Deno.test("the map holds all blocks that were preserved and not unpreserved, in any order of calls", () => {
  const block = fc.record({
    base: fc.integer({ min: 5000, max: 60_000 }),
    count: fc.integer({ min: 1, max: 40 }),
  });
  fc.assert(
    fc.property(fc.array(fc.tuple(block, fc.boolean()), { maxLength: 30 }), (steps) => {
      const world = memory(65_536);
      const expected = preserved(world);
      const taken = new Set<number>();
      for (const [{ base, count }, stays] of steps) {
        const names = [...blocks(base, count)].map(([at, order]) => `${at}+${2 ** order}`);
        const frames = Array.from({ length: count }, (_, index) => base + index);
        if (frames.some((frame) => taken.has(frame))) continue;
        assert.equal(world.kho.preserve_pages(base, count), 0);
        if (stays) {
          names.forEach((name) => expected.add(name));
          frames.forEach((frame) => taken.add(frame));
        } else world.kho.unpreserve_pages(base, count);
      }
      assert.deepEqual(preserved(world), expected);
    }),
    { numRuns: 50 },
  );
});

Deno.test("a map that cannot grow stays unchanged", () => {
  let failing = false;
  const world = memory(65_536, () => failing);
  const before = preserved(world);
  const free = world.ram.free_frames;
  failing = true;
  // The two blocks lie in two leaves. The first leaf cannot be allocated, so neither block is preserved.
  assert.equal(world.kho.preserve_pages(32_768, 2), -Errno.ENOMEM);
  assert.deepEqual(preserved(world), before);
  assert.equal(world.ram.free_frames, free);
});

Deno.test("scratch is never preserved", () => {
  const { kho } = memory(65_536);
  const [area] = kho.scratch;
  assert.ok(area !== undefined);
  assert.equal(kho.preserve_folio(area.base + 3, 0), -Errno.EINVAL);
});

for (const pages of [1, 511, 512, 1200]) {
  Deno.test(`a vmalloc area of ${pages} pages is restored once, with its contents`, () => {
    const world = memory(65_536);
    const { ram, kho } = world;
    const before = [ram.free_frames, preserved(world)] as const;
    const first = vcalloc(ram, pages) ?? [];
    unpreserve_vmalloc(kho, preserve_vmalloc(kho, first) ?? assert.fail());
    vfree(ram, first);
    assert.equal(ram.free_frames + kho.map.nodes, before[0] + 6);
    assert.deepEqual(preserved(world), before[1]);
    const frames = vcalloc(ram, pages) ?? [];
    frames.forEach((frame, index) => new Physical(ram).struct(frame * PAGE_SIZE, 4).setUint32(0, index));
    const area = preserve_vmalloc(kho, frames) ?? assert.fail();
    // 511 addresses fill a chunk, and another chunk follows a full one.
    assert.equal(area.chunks.length, Math.floor(pages / 511) + 1);
    next_kernel(world);
    const found = restore_vmalloc(ram, area);
    assert.deepEqual(found, frames);
    found?.forEach((frame, index) =>
      assert.equal(new Physical(ram).struct(frame * PAGE_SIZE, 4).getUint32(0), index)
    );
    assert.equal(restore_vmalloc(ram, area), undefined, "a second restore finds nothing");
    vfree(ram, frames);
    assert.deepEqual(ram.audit(), []);
  });
}

/** The part of a kexec and of the next boot that concerns memory. */
function next_kernel({ ram, kho }: { ram: Ram; kho: Kho }): void {
  const found = kho.preserved_blocks();
  ram.kexec(kho.kept());
  ram.scratch_only(kho.scratch);
  for (const [base, order] of found) ram.keep(base, order);
  ram.open(kho.scratch);
}

Deno.test("unpreserved pages are poison; a preserved block has no owner until it is restored, once", () => {
  const world = memory(65_536);
  const { ram, kho } = world;
  const kept = kho.alloc_preserve(3 * PAGE_SIZE) ?? 0;
  const lost = ram.kernel_page() ?? 0;
  for (const frame of [kept / PAGE_SIZE + 2, lost]) ram.page(frame)?.fill(7);
  next_kernel(world);
  assert.ok(ram.page(kept / PAGE_SIZE + 2)?.every((byte) => byte === 7));
  assert.ok(ram.page(lost)?.every((byte) => byte === POISON));
  assert.ok(ram.page(60_000)?.every((byte) => byte === POISON), "a frame that was never used, too");
  const waiting = ram.unclaimed_frames;
  assert.equal(restore_free(ram, kept + PAGE_SIZE), false, "not the first page of a block");
  assert.equal(restore_free(ram, kept), true);
  assert.equal(ram.unclaimed_frames, waiting - 4, "blocks are powers of two");
  assert.equal(restore_free(ram, kept), false);
});

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
  session.preserve(small, 1n);
  assert.equal(sys.ftruncate(small, 5n), 0, "truncating to the same size frees them");
  assert.deepEqual(audit(m), []);
  const large = sys.memfd_create("large", abi.MFD_EXEC);
  const page = new Uint8Array(PAGE_SIZE).fill(88);
  while (sys.write(large, page) === PAGE_SIZE);
  const { size } = sys.fstat(large) as Stat;
  sys.ftruncate(large, size - 40n * BigInt(PAGE_SIZE));
  session.preserve(large, 2n);
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
  openDevice(m.init()).create("vm").preserve(fd, 1n);
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
      openDevice(sys).create("vm").preserve(fd, 1n);
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
