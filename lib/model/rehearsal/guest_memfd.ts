/** /dev/kvm, as far as guest_memfd goes: memory that only a guest can read and write, so LUO is the only way to keep it. */
import { Errno } from "../../../ffi/abi/errno.ts";
import * as abi from "../../../ffi/abi/fcntl.ts";
import * as vmm from "../../../ffi/abi/vmm.ts";
import { KhoError } from "../../kho/error.ts";
import type { Ret, UserPointer } from "../../kernel.ts";
import type { FileHandler, PreservedState, Retrieved } from "../file_handler.ts";
import { type Inode, OpenFile, stat } from "../file.ts";
import * as folios from "../folios.ts";
import { type Kho, restore_free } from "../kho.ts";
import * as ser from "../memfd_ser.ts";
import { PageCache, type Run } from "../page_cache.ts";
import { PAGE_SIZE } from "../pages.ts";
import { Physical } from "../physical.ts";
import type { Process } from "../process.ts";
import type { System } from "../system.ts";
import { UserBuffer } from "../user_memory.ts";
import type { Loading } from "./modules.ts";
import { character_device, DriverInode } from "./simple.ts";

const FORMAT = ser.MEMFD_V2;

/** virt/kvm/guest_memfd.c: a size that never changes, pages that come by fallocate or by the guest's touching them. */
class GuestMemfd implements Inode {
  cache: PageCache;
  /** Preserved: no page may come or go. */
  frozen = false;

  constructor(readonly system: System, readonly ino: bigint, readonly size: bigint) {
    this.cache = new PageCache(system.hardware.ram);
  }

  stat() {
    const { ino, size } = this;
    return stat({ dev: 13n, ino, mode: abi.S_IFREG | 0o777, size, blocks: BigInt(this.cache.pages) * 8n });
  }

  fallocate(mode: number, offset: bigint, length: bigint): Ret {
    if (!(mode & abi.FALLOC_FL_KEEP_SIZE)) return -Errno.EOPNOTSUPP;
    if (mode & ~(abi.FALLOC_FL_KEEP_SIZE | abi.FALLOC_FL_PUNCH_HOLE)) return -Errno.EOPNOTSUPP;
    if (offset % BigInt(PAGE_SIZE) || length % BigInt(PAGE_SIZE)) return -Errno.EINVAL;
    if (this.frozen) return -Errno.EBUSY;
    const [first, end] = [Number(offset), Number(offset + length)].map((byte) => byte / PAGE_SIZE);
    if (first === undefined || end === undefined) return -Errno.EINVAL;
    if (mode & abi.FALLOC_FL_PUNCH_HOLE) this.cache.drop(first, end);
    else if (offset + length > this.size) return -Errno.EINVAL;
    else if (!this.cache.populate(first, end - first)) return -Errno.ENOMEM;
    return 0;
  }
}

export function load_guest_memfd({ system, kho, handlers }: Loading): void {
  const inode = character_device(system.new_ino());
  system.drivers.set("/dev/kvm", { inode, open: (flags) => kvm_file(system, inode, flags) });
  handlers.register(new GuestMemfdHandler(system, kho));
}

function kvm_file(system: System, inode: Inode, flags: number): OpenFile {
  const ioctl = (process: Process, _file: OpenFile, request: number): Ret => {
    if (request >>> 0 !== vmm.KVM_CREATE_VM) return -Errno.EINVAL;
    return process.fds.install_or_put(vm_file(system), true);
  };
  return new OpenFile(inode, { ioctl }, flags, () => "/dev/kvm");
}

function vm_file(system: System): OpenFile {
  const ioctl = (process: Process, _file: OpenFile, request: number, argument: UserPointer): Ret => {
    if (request >>> 0 !== vmm.KVM_CREATE_GUEST_MEMFD) return -Errno.EINVAL;
    const struct = new UserBuffer(argument).struct(vmm.GUEST_MEMFD_SIZE, vmm.GUEST_MEMFD_SIZE);
    if (typeof struct === "number") return struct;
    const view = new DataView(struct.buffer);
    const size = view.getBigUint64(0, true);
    if (view.getBigUint64(8, true) !== 0n || size === 0n || size % BigInt(PAGE_SIZE)) return -Errno.EINVAL;
    return process.fds.install_or_put(guest_memfd_file(new GuestMemfd(system, system.new_ino(), size)), true);
  };
  const inode = new DriverInode(system.new_ino(), 0o600);
  return new OpenFile(inode, { ioctl }, abi.O_RDWR, () => "anon_inode:kvm-vm");
}

function guest_memfd_file(inode: GuestMemfd): OpenFile {
  const operations = {
    fallocate: (_file: OpenFile, mode: number, offset: bigint, length: bigint) =>
      inode.fallocate(mode, offset, length),
    release: () => inode.cache.drop(0, Infinity),
  };
  return new OpenFile(inode, operations, abi.O_RDWR | abi.O_LARGEFILE, () => "anon_inode:[kvm-gmem]");
}

/** As a memfd hands its pages over (`memfd_ser.ts`). */
class PreservedGuestMemfd implements PreservedState {
  constructor(
    readonly data: bigint,
    readonly runs: readonly Run[],
    readonly list: folios.FolioList | undefined,
  ) {}
}

class GuestMemfdHandler implements FileHandler {
  readonly compatible = "guest_memfd-v1";

  constructor(readonly system: System, readonly kho: Kho) {}

  can_preserve({ inode }: OpenFile): boolean {
    return inode instanceof GuestMemfd;
  }

  /** Only the pages that are there: a hole stays one. */
  preserve({ inode }: OpenFile): Ret | PreservedState {
    if (!(inode instanceof GuestMemfd)) return -Errno.EINVAL;
    const { runs } = inode.cache;
    const address = this.kho.alloc_preserve(FORMAT.size);
    if (address === undefined) return -Errno.ENOMEM;
    const list = runs.length === 0 ? undefined : folios.preserve_file_pages(this.kho, runs, FORMAT);
    if (list === undefined && runs.length > 0) {
      this.kho.unpreserve_free(address);
      return -Errno.ENOMEM;
    }
    const count = folios.count_pages(runs);
    const header = { position: 0n, size: inode.size, seals: 0, count, folios: list?.area ?? ser.NO_FOLIOS };
    new Physical(this.kho.ram).write(BigInt(address), FORMAT.encode(header));
    inode.frozen = true;
    return new PreservedGuestMemfd(BigInt(address), runs, list);
  }

  unpreserve({ inode }: OpenFile, state: PreservedState): void {
    if (!(state instanceof PreservedGuestMemfd)) return;
    if (state.list !== undefined) folios.unpreserve_file_pages(this.kho, state.runs, state.list);
    this.kho.unpreserve_free(Number(state.data));
    if (inode instanceof GuestMemfd) inode.frozen = false;
  }

  retrieve(data: bigint): OpenFile | Ret {
    const { ram } = this.kho;
    const header = this.#read(data);
    const runs = header === undefined ? -Errno.EINVAL : folios.restore_file_pages(ram, header, FORMAT);
    restore_free(ram, Number(data));
    if (header === undefined || typeof runs === "number") {
      return typeof runs === "number" ? runs : -Errno.EINVAL;
    }
    const inode = new GuestMemfd(this.system, this.system.new_ino(), header.size);
    inode.cache = new PageCache(ram, runs);
    return guest_memfd_file(inode);
  }

  finish(data: bigint, retrieved: Retrieved): void {
    if (retrieved !== undefined) return;
    const header = this.#read(data);
    if (header !== undefined) folios.discard_file_pages(this.kho.ram, header, FORMAT);
    restore_free(this.kho.ram, Number(data));
  }

  #read(data: bigint): ser.MemfdHeader | undefined {
    try {
      return FORMAT.decode(new Physical(this.kho.ram), data);
    } catch (error) {
      if (error instanceof KhoError) return undefined;
      throw error;
    }
  }

  identity({ inode }: OpenFile): object {
    return inode;
  }
}
