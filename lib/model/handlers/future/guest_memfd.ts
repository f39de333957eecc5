/**
 * /dev/kvm, reduced to guest_memfd: memory that only a guest can read and write, so that only LUO can keep it over a
 * kexec.
 */
import { Errno } from "../../../../ffi/abi/errno.ts";
import * as abi from "../../../../ffi/abi/fcntl.ts";
import * as vmm from "../../../../ffi/abi/vmm.ts";
import type { Ret, UserPointer } from "../../../system_calls.ts";
import type { FileHandler, PreservedState, Retrieved } from "../../luo/file_handler.ts";
import { type Caller, type Inode, OpenFile, stat } from "../../fs/file.ts";
import { restore_file_pages } from "../folios.ts";
import { type Kho, restore_free } from "../../kho/kho.ts";
import { MEMFD_V2 } from "../memfd_format.ts";
import { PageCache } from "../../fs/page_cache.ts";
import { PAGE_SIZE } from "../../../../ffi/abi/page.ts";
import { discard_preserved, PreservedPages, read_preserved } from "../preserved_pages.ts";
import { UserBuffer } from "../../fs/user_memory.ts";
import { character_device, DriverInode, type Loading } from "./driver.ts";

/** The handover format of a memfd, which guest_memfd uses too. */
const FORMAT = MEMFD_V2;

/** A guest_memfd (virt/kvm/guest_memfd.c): its size never changes; fallocate, or an access by the guest, adds pages. */
class GuestMemfd implements Inode {
  cache: PageCache;
  /** Preserved by LUO: the set of pages is fixed. */
  frozen = false;

  readonly system: Loading;
  readonly ino: bigint;
  readonly size: bigint;

  constructor(system: Loading, ino: bigint, size: bigint) {
    this.system = system;
    this.ino = ino;
    this.size = size;
    this.cache = new PageCache(system.ram);
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

export function load_guest_memfd(system: Loading): void {
  const { kho, handlers } = system;
  const inode = character_device(system.new_ino());
  system.add_device("/dev/kvm", { inode, open: (flags) => kvm_file(system, inode, flags) });
  handlers.register(new GuestMemfdHandler(system, kho));
}

function kvm_file(system: Loading, inode: Inode, flags: number): OpenFile {
  const ioctl = (caller: Caller, _file: OpenFile, request: number): Ret => {
    if (request >>> 0 !== vmm.KVM_CREATE_VM) return -Errno.EINVAL;
    return caller.fds.install_or_put(vm_file(system), true);
  };
  return new OpenFile(inode, { ioctl }, flags, () => "/dev/kvm");
}

function vm_file(system: Loading): OpenFile {
  const ioctl = (caller: Caller, _file: OpenFile, request: number, argument: UserPointer): Ret => {
    if (request >>> 0 !== vmm.KVM_CREATE_GUEST_MEMFD) return -Errno.EINVAL;
    const struct = new UserBuffer(argument).struct(vmm.GUEST_MEMFD_SIZE, vmm.GUEST_MEMFD_SIZE);
    if (typeof struct === "number") return struct;
    const view = new DataView(struct.buffer);
    const size = view.getBigUint64(0, true);
    if (view.getBigUint64(8, true) !== 0n || size === 0n || size % BigInt(PAGE_SIZE)) return -Errno.EINVAL;
    return caller.fds.install_or_put(guest_memfd_file(new GuestMemfd(system, system.new_ino(), size)), true);
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

class GuestMemfdHandler implements FileHandler {
  readonly compatible = "guest_memfd-v1";

  readonly system: Loading;
  readonly kho: Kho;

  constructor(system: Loading, kho: Kho) {
    this.system = system;
    this.kho = kho;
  }

  can_preserve({ inode }: OpenFile): boolean {
    return inode instanceof GuestMemfd;
  }

  /** Preserves the pages that exist. Holes stay holes. */
  preserve({ inode }: OpenFile): Ret | PreservedState {
    if (!(inode instanceof GuestMemfd)) return -Errno.EINVAL;
    const address = this.kho.alloc_preserve(FORMAT.size);
    if (address === undefined) return -Errno.ENOMEM;
    const about = { position: 0n, size: inode.size, seals: 0 };
    const state = PreservedPages.preserve(this.kho, FORMAT, address, about, inode.cache.runs);
    if (state === undefined) {
      this.kho.unpreserve_free(address);
      return -Errno.ENOMEM;
    }
    inode.frozen = true;
    return state;
  }

  unpreserve({ inode }: OpenFile, state: PreservedState): void {
    if (state instanceof PreservedPages) state.unpreserve();
    if (inode instanceof GuestMemfd) inode.frozen = false;
  }

  retrieve(data: bigint): OpenFile | Ret {
    const { ram } = this.kho;
    const header = read_preserved(ram, FORMAT, data);
    if (header === undefined) return -Errno.EINVAL;
    const runs = restore_file_pages(ram, header, FORMAT);
    restore_free(ram, Number(data));
    if (typeof runs === "number") return runs;
    const inode = new GuestMemfd(this.system, this.system.new_ino(), header.size);
    inode.cache = new PageCache(ram, runs);
    return guest_memfd_file(inode);
  }

  finish(data: bigint, retrieved: Retrieved): void {
    if (retrieved === undefined) discard_preserved(this.kho.ram, FORMAT, data);
  }

  identity({ inode }: OpenFile): object {
    return inode;
  }
}
