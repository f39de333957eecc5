/**
 * /dev/iommu, after the patches "iommu: Add live update state preservation". An iommufd can be preserved only when
 * every memfd that it maps is preserved before it in the same session, and is sealed against changes of its size. The
 * session cannot be finished before the iommufd is retrieved.
 */
import { Errno } from "../../../../ffi/abi/errno.ts";
import { F_SEAL_GROW, F_SEAL_SEAL, F_SEAL_SHRINK, O_RDWR } from "../../../../ffi/abi/fcntl.ts";
import * as vmm from "../../../../ffi/abi/vmm.ts";
import type { Ret } from "../../../system_calls.ts";
import { BadBytes, Reader, Writer } from "./byte_streams.ts";
import type {
  FileHandler,
  HandedOverBeside,
  PreservedBeside,
  PreservedState,
} from "../../luo/file_handler.ts";
import type { Retrieved } from "../../luo/file_handler.ts";
import type { OpenFile } from "../../fs/file.ts";
import type { Flb } from "../../luo/flb.ts";
import type { Handlers } from "../../luo/handler_registry.ts";
import type { Kho } from "../../kho/kho.ts";
import { character_device, driver_file, DriverInode, type DriverIoctl, type Loading } from "./driver.ts";
import { free_state, preserve_state, read_state } from "./driver_state.ts";

/** The seals that a memfd needs while a device writes into it. */
const SEALED = F_SEAL_SEAL | F_SEAL_GROW | F_SEAL_SHRINK;

interface Mapping {
  readonly file: OpenFile;
  readonly start: bigint;
  readonly length: bigint;
  readonly iova: bigint;
}

/** One iommufd context. */
export class Iommufd extends DriverInode {
  readonly mappings: Mapping[] = [];
  /** Number of address spaces and devices so far; they share one numbering. */
  objects = 0;
  /** Preserved by LUO: devices may still be attached, but mappings may not change until LUO drops the file. */
  preserved = false;

  put(): void {
    for (const { file } of this.mappings) file.put();
  }
}

/** The parts of this module that vfio needs. */
export interface IommufdModule {
  readonly flb: Flb;
  readonly handler: FileHandler;
}

export function load_iommufd(system: Loading): IommufdModule {
  const { kho, handlers } = system;
  const inode = character_device(system.new_ino());
  const make = () => new Iommufd(system.new_ino(), inode.mode);
  system.add_device("/dev/iommu", { inode, open: (flags) => iommufd_file(make(), flags) });
  const handler = new IommufdHandler(kho, handlers, make);
  handlers.register(handler);
  handlers.register_flb(handler, iommu_core);
  return { flb: iommu_core, handler };
}

/** The state of the IOMMU driver itself. Every iommufd and every device needs it. */
const iommu_core: Flb = {
  compatible: "iommu-v1",
  preserve: () => ({ data: 1n, object: {} }),
  unpreserve: () => {},
  retrieve: () => ({}),
  finish: () => {},
};

function iommufd_file(context: Iommufd, flags: number): OpenFile {
  const ioctls = new Map<number, DriverIoctl>([
    [vmm.IOMMU_IOAS_ALLOC, {
      size: vmm.IOAS_ALLOC_SIZE,
      run: (struct) => {
        struct.setUint32(8, ++context.objects, true);
        return 0;
      },
    }],
    [vmm.IOMMU_IOAS_MAP_FILE, {
      size: vmm.IOAS_MAP_FILE_SIZE,
      run: (struct, caller) => map_file(context, struct, caller.fds.get(struct.getInt32(12, true))),
    }],
  ]);
  return driver_file(context, flags, "/dev/iommu", ioctls, () => context.put());
}

/** iopt_map_file_pages(): maps memfds only. */
function map_file(context: Iommufd, struct: DataView, file: OpenFile | undefined): Ret {
  if (file === undefined) return -Errno.EBADF;
  if (context.preserved) return -Errno.EBUSY;
  if (file.inode.seals === undefined) return -Errno.EINVAL;
  const [start, length, iova] = [16, 24, 32].map((at) => struct.getBigUint64(at, true));
  if (start === undefined || length === undefined || iova === undefined || length === 0n) {
    return -Errno.EINVAL;
  }
  if (start + length > file.inode.stat().size) return -Errno.EINVAL;
  context.mappings.push({ file: file.get(), start, length, iova });
  return 0;
}

class IommufdHandler implements FileHandler {
  readonly compatible = "iommufd-v1";

  readonly kho: Kho;
  readonly handlers: Handlers;
  readonly make: () => Iommufd;

  constructor(kho: Kho, handlers: Handlers, make: () => Iommufd) {
    this.kho = kho;
    this.handlers = handlers;
    this.make = make;
  }

  can_preserve({ inode }: OpenFile): boolean {
    return inode instanceof Iommufd;
  }

  preserve({ inode }: OpenFile, beside: PreservedBeside): Ret | PreservedState {
    if (!(inode instanceof Iommufd)) return -Errno.EINVAL;
    const out = new Writer().u64(inode.mappings.length);
    for (const { file, start, length, iova } of inode.mappings) {
      if (((file.inode.seals ?? 0) & SEALED) !== SEALED) return -Errno.EINVAL;
      const token = beside.token_of(file);
      if (token === undefined) return -Errno.ENOENT;
      out.u64(token).u64(start).u64(length).u64(iova);
    }
    const data = preserve_state(this.kho, out.finish());
    if (data === undefined) return -Errno.ENOMEM;
    inode.preserved = true;
    return { data };
  }

  unpreserve({ inode }: OpenFile, { data }: PreservedState): void {
    this.kho.unpreserve_free(Number(data));
    if (inode instanceof Iommufd) inode.preserved = false;
  }

  /** Retrieves the mapped memfds too, because a device may be writing into them all the time. */
  retrieve(data: bigint, _uid: number, beside: HandedOverBeside): OpenFile | Ret {
    const context = this.make();
    const answer = restore(context, read_state(this.kho.ram, data), beside);
    free_state(this.kho.ram, data);
    if (answer < 0) {
      context.put();
      return answer;
    }
    // This call reads the count of files, so that the last finish finishes the core.
    const core = this.handlers.flbs.get_incoming(iommu_core);
    if (typeof core === "object") this.handlers.flbs.put_incoming(iommu_core);
    return iommufd_file(context, O_RDWR);
  }

  can_finish(_data: bigint, retrieved: Retrieved): boolean {
    return typeof retrieved === "object";
  }

  finish(): void {}
}

function restore(context: Iommufd, data: Uint8Array | undefined, beside: HandedOverBeside): Ret {
  try {
    const input = new Reader(data ?? new Uint8Array(0));
    for (let left = input.count(32); left > 0; left--) {
      const [token, start, length, iova] = [input.u64(), input.u64(), input.u64(), input.u64()];
      const file = beside.file_of(token);
      if (typeof file === "number") return file;
      context.mappings.push({ file: file.get(), start, length, iova });
    }
    return 0;
  } catch (error) {
    if (!(error instanceof BadBytes)) throw error;
    return -Errno.EINVAL;
  }
}
