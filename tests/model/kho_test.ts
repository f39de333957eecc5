/** Kexec handover in the model: the map of preserved blocks, vmalloc areas and scratch. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { encode_kho_v4 } from "../../lib/kho/kho_v4.ts";
import { decode_map, range_size } from "../../lib/kho/preserved_map.ts";
import { blocks, Kho, reserve_scratch, restore_free } from "../../lib/model/kho/kho.ts";
import { Errno } from "../../ffi/abi/errno.ts";
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
    base: fc.integer({ min: 20_000, max: 60_000 }),
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
