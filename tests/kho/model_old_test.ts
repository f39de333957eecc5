/** The handover of the model's old releases, decoded with the codecs of lib/kho. */
import assert from "node:assert/strict";
import { MFD_EXEC } from "../../ffi/abi/fcntl.ts";
import { hex } from "../../lib/kho/kho_error.ts";
import { decode_bitmap_map, encode_bitmap_map } from "../../lib/kho/bitmap_map.ts";
import { decode_kho_v1, encode_kho_v1 } from "../../lib/kho/kho_v1.ts";
import * as v1 from "../../lib/kho/luo_v1.ts";
import { decode_memfd_v1, encode_memfd_v1 } from "../../lib/kho/memfd_v1.ts";
import { PAGE_SIZE } from "../../ffi/abi/page.ts";
import { Pages, read } from "../../lib/kho/kept_memory.ts";
import type { Range } from "../../lib/kho/preserved_map.ts";
import { report_memory } from "../../lib/kho/report.ts";
import { MemoryDisk } from "../../lib/model/fs/disk.ts";
import { Machine } from "../../lib/model/machine.ts";
import { Physical } from "../../lib/model/memory/physical.ts";
import { Fd } from "../../lib/fd.ts";
import { openDevice } from "../../lib/session.ts";

function sum_by_order(ranges: readonly Range[]): Record<number, number> {
  const sums: Record<number, number> = {};
  for (const { order, count } of ranges) sums[order] = (sums[order] ?? 0) + count;
  return sums;
}

/**
 * The memory of a model kernel of an old release just before the kexec: session "vm" with a file of three pages, and an
 * empty session.
 */
function old(release: string): { memory: Physical; fdt: bigint } {
  const machine = new Machine({ memory_bytes: 64 << 20, release, disk: new MemoryDisk() });
  const sys = machine.init();
  const device = openDevice(sys);
  const session = device.create("vm");
  const fd = sys.memfd_create("m", MFD_EXEC);
  sys.write(fd, new Uint8Array(3 * PAGE_SIZE));
  session.preserve(new Fd(sys, fd), 5n);
  device.create("empty");
  assert.equal(machine.system.kho?.finish(), 0);
  machine.system.luo?.serialize();
  return { memory: new Physical(machine.ram), fdt: BigInt(machine.system.kho?.handover.fdt ?? 0) };
}

for (
  const [release, dialect] of [["6.19.2", v1.LUO_6_19], ["6.18.0-series-v6", v1.LUO_SERIES_V6]] as const
) {
  Deno.test(`${release}: decoding and encoding the handover give the same bytes`, () => {
    const { memory, fdt } = old(release);
    const out = new Pages();
    const tree = decode_kho_v1(read(memory, fdt, PAGE_SIZE, "tree"));
    out.write(fdt, encode_kho_v1(tree));
    const map = decode_bitmap_map(memory, tree.map);
    // Order 0: three pages of the file, its list, chunk and struct, KHO's tree, and LUO's. Order 1: the two pages of
    // the files. Order 4: the 16 pages of the sessions.
    assert.deepEqual(sum_by_order(map.ranges), { 0: 8, 1: 1, 4: 1 });
    encode_bitmap_map(out, map);
    const [blob] = tree.blobs;
    assert.ok(blob !== undefined);
    const luo = v1.decode_luo_v1(read(memory, blob.address, PAGE_SIZE, "LUO"), dialect);
    assert.equal(v1.dialect_of(read(memory, blob.address, PAGE_SIZE, "LUO")), dialect);
    out.write(blob.address, v1.encode_luo_v1(luo, dialect));
    const sessions = v1.decode_sessions(memory, luo.sessions_pa, dialect);
    assert.deepEqual(sessions.map(({ name, count }) => [new TextDecoder().decode(name), count]), [
      ["vm", 1n],
      ["empty", 0n],
    ]);
    v1.encode_sessions(out, luo.sessions_pa, dialect, sessions);
    for (const session of sessions) {
      const files = v1.decode_file_list(memory, session, "files");
      v1.encode_file_list(out, session.files_pa, files);
      for (const { data } of files) encode_memfd_v1(out, data, decode_memfd_v1(memory, data, "file"));
    }
    for (const address of out.addresses()) {
      assert.deepEqual(out.page(address), new Uint8Array(memory.page(address) ?? []), hex(address));
    }
  });
}

Deno.test("6.19's handover is reported", () => {
  const { memory, fdt } = old("6.19.2");
  const { kho, luo, metadata } = report_memory(memory, fdt);
  assert.deepEqual([kho?.format, luo?.format, metadata], ["kho-v1", "luo-v1, luo-session-v2", undefined]);
  const [file] = luo?.sessions?.[0]?.files ?? [];
  assert.deepEqual([file?.handler, file?.size, file?.folios, file?.seals], ["memfd-v1", 12288, 3, undefined]);
});

Deno.test("each dialect of luo-v1 refuses the other one, and another version", () => {
  for (const [one, other] of [[v1.LUO_6_19, v1.LUO_SERIES_V6], [v1.LUO_SERIES_V6, v1.LUO_6_19]] as const) {
    const bytes = v1.encode_luo_v1({ liveupdate_number: 3n, sessions_pa: 0x5000n }, one);
    assert.throws(() => v1.decode_luo_v1(bytes, other), /their format is "luo-session-v\d"/);
    assert.throws(() => v1.decode_luo_v1(bytes, one, "luo-v2"), /its format is "luo-v1", not "luo-v2"/);
  }
});

Deno.test("impossible counts are refused before the entries are read", () => {
  const memory = new Pages();
  memory.write(0x5000n, new Uint8Array(8).fill(255));
  assert.throws(
    () => v1.decode_sessions(memory, 0x5000n, v1.LUO_6_19),
    /18446744073709551615 sessions, not up to 819/,
  );
  const session = { name: new Uint8Array(), files_pa: 0x5000n, count: 129n };
  assert.throws(() => v1.decode_file_list(memory, session, "files"), /129, not up to 128/);
});
