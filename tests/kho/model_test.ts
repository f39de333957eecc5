/** The model's handover compared with captures of Linux: the same scenario gives the same structs. */
import assert from "node:assert/strict";
import { F_ADD_SEALS, MFD_ALLOW_SEALING, MFD_EXEC, SEEK_SET } from "../../ffi/abi/fcntl.ts";
import { decode_capture } from "../../lib/kho/capture.ts";
import { decode_kho_v4 } from "../../lib/kho/kho_v4.ts";
import { decode_luo_tree_v5, decode_luo_v5 } from "../../lib/kho/luo_v5.ts";
import { decode_memfd_v2 } from "../../lib/kho/memfd_v2.ts";
import { PAGE_SIZE } from "../../ffi/abi/page.ts";
import { type Memory, read } from "../../lib/kho/kept_memory.ts";
import { decode_map } from "../../lib/kho/preserved_map.ts";
import { MemoryDisk } from "../../lib/model/fs/disk.ts";
import { Machine } from "../../lib/model/machine.ts";
import { Physical } from "../../lib/model/memory/physical.ts";
import { Fd } from "../../lib/fd.ts";
import { openDevice } from "../../lib/session.ts";
import { type Scenario, SCENARIOS } from "./capture/scenarios.ts";

/** Everything in a handover except addresses. */
function shape(memory: Memory, fdt: bigint) {
  const kho = decode_kho_v4(read(memory, fdt, PAGE_SIZE, "the tree"));
  const blob = kho.blobs.find(({ name }) => name === "LUO") ?? assert.fail("no LUO");
  const tree = decode_luo_tree_v5(
    memory,
    decode_luo_v5(read(memory, blob.address, Number(blob.size), "LUO")),
  );
  return {
    blobs: kho.blobs.map(({ name, size }) => [name, size]),
    orders: orders(memory, kho.map),
    number: tree.luo.liveupdate_number,
    flbs: tree.flbs,
    sessions: tree.sessions.map(({ entries }) =>
      entries.map(({ name, count, files }) => ({
        name: new TextDecoder().decode(name),
        count,
        files: files.map(({ entries }) =>
          entries.map(({ compatible, token, data }) => ({ compatible, token, ...memfd(memory, data) }))
        ),
      }))
    ),
  };
}

/** The number of preserved blocks of each order. */
function orders(memory: Memory, map: bigint): Record<number, number> {
  const found: Record<number, number> = {};
  for (const { order, count } of decode_map(memory, map).ranges) found[order] = (found[order] ?? 0) + count;
  return found;
}

function memfd(memory: Memory, data: bigint) {
  const { area, folios, ...rest } = decode_memfd_v2(memory, data, "a file");
  const { first, chunks, ...kept } = area;
  return {
    ...rest,
    folios: folios.map(({ flags, index }) => [flags, index]),
    area: { ...kept, any: first !== 0n, chunks: chunks.map(({ blocks }) => blocks.length) },
  };
}

/** CONFIG_LIVEUPDATE_TEST of the captured kernel (lib/tests/liveupdate.c): three FLBs that every file needs. */
function register_test_flbs({ system }: Machine): void {
  const handlers = system.luo?.handlers ?? assert.fail("no LUO");
  const memfd = handlers.find("memfd-v2") ?? assert.fail("no memfd handler");
  handlers.put(memfd);
  for (const index of [0n, 1n, 2n]) {
    const data = 0xfeed_f00d_cafe_bee0n + index;
    const flb = {
      preserve: () => ({ data, object: {} }),
      unpreserve() {},
      retrieve: () => ({}),
      finish() {},
    };
    handlers.register_flb(memfd, { compatible: `liveupdate-test-flb-v${index}`, ...flb });
  }
}

/** Runs the scenario on the model, up to the moment before the kexec. */
function on_the_model({ sessions }: Scenario): { memory: Memory; fdt: bigint } {
  const machine = new Machine({ memory_bytes: 256 << 20, disk: new MemoryDisk() });
  register_test_flbs(machine);
  const sys = machine.init();
  const device = openDevice(sys);
  for (const { name, files } of sessions) {
    const session = device.create(name);
    for (const { token, size, position = 0, seals = 0 } of files) {
      const fd = sys.memfd_create("capture", MFD_ALLOW_SEALING | MFD_EXEC);
      sys.ftruncate(fd, BigInt(size));
      sys.lseek(fd, BigInt(position), SEEK_SET);
      sys.fcntl(fd, F_ADD_SEALS, seals);
      session.preserve(new Fd(sys, fd), token);
    }
  }
  const { luo, kho } = machine.system;
  luo?.freeze();
  luo?.serialize();
  return { memory: new Physical(machine.ram), fdt: BigInt(kho?.handover.fdt ?? 0) };
}

// The model has no huge pages; its folios are of order 0.
for (const scenario of SCENARIOS.filter(({ name }) => name !== "huge")) {
  Deno.test(`the model hands over what Linux does, except addresses: "${scenario.name}"`, async () => {
    const path = new URL(`fixtures/${scenario.name}.json.gz`, import.meta.url);
    const linux = await decode_capture(await Deno.readFile(path));
    const { memory, fdt } = on_the_model(scenario);
    assert.deepEqual(shape(memory, fdt), shape(linux.pages, linux.fdt));
  });
}
