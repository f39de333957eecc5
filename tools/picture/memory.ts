/** A small machine of the model before and after a kexec, and what each of its page frames is: read out of its memory. */
import { MFD_EXEC, O_RDONLY } from "../../ffi/abi/fcntl.ts";
import { KEXEC_FILE_NO_INITRAMFS, LINUX_REBOOT_CMD_KEXEC } from "../../ffi/abi/kexec.ts";
import { standInBzImage } from "../../lib/kexec/bzimage.ts";
import { ProcessKilled } from "../../lib/system_calls.ts";
import { decode_kho_v4 } from "../../lib/kho/kho_v4.ts";
import { decode_luo_tree_v5, decode_luo_v5 } from "../../lib/kho/luo_v5.ts";
import { decode_memfd_v2 } from "../../lib/kho/memfd_v2.ts";
import { PAGE_SIZE } from "../../ffi/abi/page.ts";
import { read } from "../../lib/kho/kept_memory.ts";
import { decode_map } from "../../lib/kho/preserved_map.ts";
import { MemoryDisk } from "../../lib/model/fs/disk.ts";
import { Machine } from "../../lib/model/machine.ts";
import { Physical } from "../../lib/model/memory/physical.ts";
import { POISON } from "../../lib/model/memory/section.ts";
import { Fd } from "../../lib/fd.ts";
import { openDevice } from "../../lib/session.ts";

export type Kind =
  | "firmware"
  | "free"
  | "scratch"
  | "tree"
  | "map"
  | "luo"
  | "list"
  | "kept"
  | "lost"
  | "poison"
  | "next";

/** One thing the next kernel finds by the address in another, and its page frame. */
export interface Step {
  readonly name: string;
  readonly frame: number;
}

export interface Memory {
  readonly kinds: readonly Kind[];
}

export interface Update {
  readonly before: Memory;
  readonly after: Memory;
  /** From KHO's tree to the contents of a file. */
  readonly chain: readonly Step[];
  /** From KHO's tree to the preserved-memory map. */
  readonly map: readonly Step[];
}

/** 1,024 page frames: enough to see, few enough to draw. */
const MEMORY_BYTES = 4 << 20;

export function live_update(): Update {
  const disk = new MemoryDisk({ "/kernel": smallImage() });
  const machine = new Machine({ memory_bytes: MEMORY_BYTES, disk });
  prepare(machine);
  // reboot(2) does this first. From here on the memory is as the next kernel reads it.
  machine.system.luo?.serialize();
  const { kinds, chain, map } = classify(machine);
  try {
    machine.init().reboot(LINUX_REBOOT_CMD_KEXEC);
  } catch (error) {
    if (!(error instanceof ProcessKilled)) throw error;
  }
  return { before: { kinds }, after: { kinds: after(machine, kinds) }, chain, map };
}

/** The stand-in says that it needs 2 MiB, aligned as x86 demands. The scratch of this machine is smaller. */
function smallImage(): Uint8Array {
  const image = Uint8Array.from(standInBzImage({ release: "7.3.4" }));
  const header = new DataView(image.buffer);
  for (const field of [0x230, 0x260]) header.setUint32(field, 4096, true);
  return image;
}

/** Two memfds in a session, one in none, and the next kernel loaded. */
function prepare(machine: Machine): void {
  const sys = machine.init();
  const file = (pages: number) => {
    const fd = sys.memfd_create("data", MFD_EXEC);
    sys.write(fd, new Uint8Array(pages * PAGE_SIZE).fill(1));
    return fd;
  };
  const session = openDevice(sys).create("vm0");
  session.preserve(new Fd(sys, file(90)), 1n);
  file(70);
  session.preserve(new Fd(sys, file(40)), 2n);
  const line = new TextEncoder().encode("liveupdate=on\0");
  const image = sys.open("/kernel", O_RDONLY);
  sys.kexec_file_load(image, -1, BigInt(line.length), line, BigInt(KEXEC_FILE_NO_INITRAMFS));
}

/** By following every address, as the next kernel will. */
function classify({ ram, system }: Machine) {
  const kinds: Kind[] = Array.from({ length: ram.frames }, (_, frame) => frame < 256 ? "firmware" : "free");
  const mark = (kind: Kind, address: bigint | number, count = 1) => {
    const frame = Math.floor(Number(address) / PAGE_SIZE);
    kinds.fill(kind, frame, frame + count);
    return frame;
  };
  // Used frames that no address leads to belong to this kernel, or to files outside of all sessions.
  for (const frame of ram.used()) kinds[frame] = "lost";
  const memory = new Physical(ram);
  const { kho } = system;
  if (kho === undefined) throw new Error("no KHO");
  for (const { base, count } of kho.scratch) mark("scratch", base * PAGE_SIZE, count);
  const fdt = kho.handover.fdt;
  const tree = decode_kho_v4(read(memory, BigInt(fdt), PAGE_SIZE, "KHO's tree"));
  const chain: Step[] = [{ name: "KHO's tree", frame: mark("tree", fdt) }];
  const { nodes } = decode_map(memory, tree.map);
  const map = nodes.map(({ level, address }) => ({
    name: level === 0 ? "bitmap" : `level ${level}`,
    frame: mark("map", address),
  }));
  for (const { name, address } of tree.blobs) if (name !== "LUO") mark("luo", address);
  const blob = tree.blobs.find(({ name }) => name === "LUO");
  if (blob === undefined) throw new Error("no LUO");
  chain.push({ name: "LUO", frame: mark("luo", blob.address) });
  const luo = decode_luo_v5(read(memory, blob.address, Number(blob.size), "LUO"));
  mark("luo", luo.flbs_pa);
  const step = (name: string, frame: number) => {
    if (!chain.some((known) => known.name === name)) chain.push({ name, frame });
  };
  for (const { address, entries } of decode_luo_tree_v5(memory, luo).sessions) {
    step("sessions", mark("luo", address));
    for (const { address, entries: files } of entries.flatMap(({ files }) => files)) {
      step("files", mark("luo", address));
      for (const { data } of files) classify_memfd(memory, data, mark, step);
    }
  }
  return { kinds, chain, map };
}

function classify_memfd(
  memory: Physical,
  data: bigint,
  mark: (kind: Kind, address: bigint) => number,
  step: (name: string, frame: number) => void,
): void {
  step("a memfd", mark("list", data));
  const { area, folios } = decode_memfd_v2(memory, data, "a file");
  for (const { address, blocks } of area.chunks) {
    step("its chunk", mark("list", address));
    for (const block of blocks) step("its list", mark("list", block));
  }
  for (const { pfn } of folios) step("contents", mark("kept", pfn * BigInt(PAGE_SIZE)));
}

/** The frames whose contents are unchanged in the next kernel, found by the bytes alone. */
function after({ ram }: Machine, before: readonly Kind[]): Kind[] {
  return before.map((kind, frame) => {
    if (kind === "firmware") return kind;
    const page = ram.page(frame);
    if (page?.every((byte) => byte === POISON)) return "poison";
    return kind === "free" || kind === "lost" || kind === "scratch" ? "next" : kind;
  });
}
