/** Cases: KHO's files in debugfs. */
import { O_RDONLY, O_WRONLY } from "../../../ffi/abi/fcntl.ts";
import { decode_kexec_metadata } from "../../../lib/kho/kexec_metadata.ts";
import { decode_kho_v4 } from "../../../lib/kho/kho_v4.ts";
import { decode_luo_v5 } from "../../../lib/kho/luo_v5.ts";
import { answers, type Case, deepEqual, equal, ok, type RebootCase, type World } from "../world.ts";

const KHO = "/sys/kernel/debug/kho";

/** The contents of a file of debugfs. */
function bytes(world: World, path: string): Uint8Array {
  const fd = world.keep(world.sys.open(`${KHO}/${path}`, O_RDONLY), path);
  const into = new Uint8Array(8192);
  const got = world.sys.read(fd, into);
  ok(got >= 0, `${path}: ${got}`);
  answers(world.sys.read(fd, new Uint8Array(1)), 0);
  world.close(fd);
  return into.subarray(0, got);
}

function text(world: World, path: string): string {
  return new TextDecoder().decode(bytes(world, path));
}

export const khoCases: readonly Case[] = [
  {
    name: "debugfs: LUO's blob has the next number, and no sessions before the reboot",
    run(world) {
      world.create("unseen");
      const { liveupdate_number, sessions_pa, flbs_pa } = decode_luo_v5(bytes(world, "out/sub_fdts/LUO"));
      ok(liveupdate_number > 0n && flbs_pa > 0n);
      equal(sessions_pa, 0n);
    },
  },
  {
    name: "debugfs: the metadata names this kernel",
    run(world) {
      const { previous_release, kexec_count } = decode_kexec_metadata(
        bytes(world, "out/sub_fdts/kexec-metadata"),
      );
      equal(previous_release, world.sys.uname().release);
      ok(kexec_count >= 1);
    },
  },
  {
    name: "debugfs: scratch areas by address and by length, a line each",
    run(world) {
      const [starts, lengths] = [text(world, "out/scratch_phys"), text(world, "out/scratch_len")];
      for (const lines of [starts, lengths]) ok(/^(0x[0-9a-f]+\n)+$/.test(lines), lines);
      equal(starts.split("\n").length, lengths.split("\n").length);
    },
  },
  {
    name: "debugfs: a missing file is ENOENT, also for writing",
    run(world) {
      answers(world.sys.open(`${KHO}/out/sub_fdts/other`, O_RDONLY), "ENOENT");
      answers(world.sys.open(`${KHO}/other`, O_WRONLY), "ENOENT");
    },
  },
];

export const khoRebootCases: readonly RebootCase[] = [
  {
    name: "debugfs: the tree of the previous kernel is there, that of this kernel is not",
    before: (world) => void world.create("a kexec"),
    after(world) {
      const { blobs } = decode_kho_v4(bytes(world, "in/fdt"));
      deepEqual(blobs.map(({ name }) => name), ["LUO", "kexec-metadata"]);
      answers(world.sys.open(`${KHO}/out/fdt`, O_RDONLY), "ENOENT");
      const { kexec_count } = decode_kexec_metadata(bytes(world, "in/sub_fdts/kexec-metadata"));
      const now = decode_kexec_metadata(bytes(world, "out/sub_fdts/kexec-metadata"));
      equal(now.kexec_count, kexec_count + 1);
      equal(bytes(world, "in/sub_fdts/LUO").length, 32);
    },
  },
];
