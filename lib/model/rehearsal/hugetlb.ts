/**
 * Memfds of huge pages (MFD_HUGETLB). As in "hugetlb: Live update support": the pool of huge pages is an FLB that all such files
 * share. The model's pool is empty, so a file is its size and its seals.
 */
import { Errno } from "../../../ffi/abi/errno.ts";
import { MFD_ALLOW_SEALING } from "../../../ffi/abi/fcntl.ts";
import type { Ret } from "../../kernel.ts";
import { BadBytes, Reader, Writer } from "../bytes.ts";
import type { FileHandler, PreservedState } from "../file_handler.ts";
import type { OpenFile } from "../file.ts";
import type { Flb } from "../flb.ts";
import { hugetlb_file, HugetlbInode } from "../hugetlb.ts";
import type { Loading } from "./modules.ts";

export function load_hugetlb({ system, handlers }: Loading): void {
  const pool: Flb = {
    compatible: "hugetlb-v1",
    preserve: () => ({ data: 0n, object: { pages: 0n } }),
    unpreserve: () => {},
    retrieve: (pages) => ({ pages }),
    finish: () => {},
  };
  const handler: FileHandler = {
    compatible: "hugetlbfs-v1",
    can_preserve: ({ inode }) => inode instanceof HugetlbInode,
    preserve,
    unpreserve: () => {},
    retrieve(data, uid) {
      const file = retrieve(data, uid, system.new_ino());
      // Its pages come out of the pool, which comes back with the first file.
      if (typeof file === "object" && typeof handlers.flbs.get_incoming(pool) === "object") {
        handlers.flbs.put_incoming(pool);
      }
      return file;
    },
    finish() {
      if (typeof handlers.flbs.get_incoming(pool) === "object") handlers.flbs.put_incoming(pool);
    },
    identity: ({ inode }) => inode,
  };
  handlers.register(handler);
  handlers.register_flb(handler, pool);
}

function preserve({ inode }: OpenFile): Ret | PreservedState {
  if (!(inode instanceof HugetlbInode)) return -Errno.EINVAL;
  const data = new Writer().u64(inode.size).u32(inode.seals).finish();
  return { serialize: () => data, frames: () => [] };
}

function retrieve(data: Uint8Array, uid: number, ino: bigint): OpenFile | Ret {
  try {
    const input = new Reader(data);
    const file = hugetlb_file(ino, uid, "", MFD_ALLOW_SEALING);
    if (file.inode instanceof HugetlbInode) {
      file.inode.size = input.u64();
      file.inode.seals = input.u32();
    }
    return file;
  } catch (error) {
    if (!(error instanceof BadBytes)) throw error;
    return -Errno.EINVAL;
  }
}
