/**
 * The handler of memfds with huge pages (MFD_HUGETLB), after the patches "hugetlb: Live update support": the pool of
 * huge pages is an FLB that all such files share. The model's pool is empty, so a file has only a size and seals.
 */
import { Errno } from "../../../../ffi/abi/errno.ts";
import { MFD_ALLOW_SEALING } from "../../../../ffi/abi/fcntl.ts";
import type { Ret } from "../../../system_calls.ts";
import { BadBytes, Reader, Writer } from "./byte_streams.ts";
import type { FileHandler, PreservedState } from "../../luo/file_handler.ts";
import type { OpenFile } from "../../fs/file.ts";
import type { Flb } from "../../luo/flb.ts";
import { hugetlb_file, HugetlbInode } from "../../fs/hugetlb.ts";
import type { Kho } from "../../kho/kho.ts";
import type { Loading } from "./driver.ts";
import { free_state, preserve_state, read_state } from "./driver_state.ts";

export function load_hugetlb(system: Loading): void {
  const { kho, handlers } = system;
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
    preserve: (file) => preserve(kho, file),
    unpreserve: (_file, { data }) => kho.unpreserve_free(Number(data)),
    retrieve(data, uid) {
      const file = retrieve(read_state(kho.ram, data), uid, system.new_ino());
      free_state(kho.ram, data);
      // The pages of the file come from the pool, so the first file restores the pool too.
      if (typeof file === "object" && typeof handlers.flbs.get_incoming(pool) === "object") {
        handlers.flbs.put_incoming(pool);
      }
      return file;
    },
    finish(data, retrieved) {
      if (retrieved === undefined) free_state(kho.ram, data);
      if (typeof handlers.flbs.get_incoming(pool) === "object") handlers.flbs.put_incoming(pool);
    },
    identity: ({ inode }) => inode,
  };
  handlers.register(handler);
  handlers.register_flb(handler, pool);
}

function preserve(kho: Kho, { inode }: OpenFile): Ret | PreservedState {
  if (!(inode instanceof HugetlbInode)) return -Errno.EINVAL;
  const data = preserve_state(kho, new Writer().u64(inode.size).u32(inode.seals).finish());
  return data === undefined ? -Errno.ENOMEM : { data };
}

function retrieve(data: Uint8Array | undefined, uid: number, ino: bigint): OpenFile | Ret {
  try {
    const input = new Reader(data ?? new Uint8Array(0));
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
