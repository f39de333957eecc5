/**
 * /dev/vfio/devices/vfio0 and vfio1, two devices passed through, after the patches "vfio/pci: Base Live Update
 * support". A device can be preserved only after the iommufd that it is bound to. In the next kernel only LUO can open
 * it until the session is finished. It can be bound to the retrieved iommufd only (EPERM), and must be attached before
 * the session can be finished.
 */
import { Errno } from "../../../../ffi/abi/errno.ts";
import { O_RDWR } from "../../../../ffi/abi/fcntl.ts";
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
import { Iommufd, type IommufdModule } from "./iommufd.ts";
import { character_device, driver_file, DriverInode, type DriverIoctl, type Loading } from "./driver.ts";
import { free_state, preserve_state, read_state } from "./driver_state.ts";

const DEVICES = 2;

/** One open of a device. */
class VfioDevice extends DriverInode {
  iommufd: OpenFile | undefined;
  attached = false;
  /** The only iommufd that a retrieved device can be bound to. */
  expects: OpenFile | undefined;

  readonly index: number;

  constructor(ino: bigint, mode: number, index: number) {
    super(ino, mode);
    this.index = index;
  }
}

/**
 * The devices that are handed over, one bit each. They keep running over the kexec, so their driver must not touch them
 * at boot.
 */
class PciCore implements Flb {
  readonly compatible = "pci-v1";
  devices = 0n;

  preserve() {
    const preserved = () => this.devices;
    return {
      object: this,
      get data() {
        return preserved();
      },
    };
  }

  unpreserve(): void {
    this.devices = 0n;
  }

  retrieve(data: bigint): object {
    return { devices: data };
  }

  finish(): void {}
}

export function load_vfio(system: Loading, iommufd: IommufdModule): void {
  const { kho, handlers } = system;
  const vfio = new Vfio(system, kho, handlers);
  for (let index = 0; index < DEVICES; index++) {
    const inode = character_device(system.new_ino());
    system.add_device(path_of(index), { inode, open: (flags) => vfio.open(index, flags) });
  }
  handlers.register(vfio);
  handlers.register_flb(vfio, vfio.pci);
  handlers.register_flb(vfio, iommufd.flb);
}

function path_of(index: number): string {
  return `/dev/vfio/devices/vfio${index}`;
}

class Vfio implements FileHandler {
  readonly compatible = "vfio-pci-v1";
  readonly pci = new PciCore();

  readonly system: Loading;
  readonly kho: Kho;
  readonly handlers: Handlers;

  constructor(system: Loading, kho: Kho, handlers: Handlers) {
    this.system = system;
    this.kho = kho;
    this.handlers = handlers;
  }

  open(index: number, flags: number): OpenFile | Ret {
    if (this.#waits(index)) return -Errno.EBUSY;
    return this.#file(new VfioDevice(this.system.new_ino(), character_device(0n).mode, index), flags);
  }

  /**
   * True when the device was handed over and its session is not finished. This call also retrieves the list of such
   * devices.
   */
  #waits(index: number): boolean {
    const { flbs } = this.handlers;
    const core = flbs.get_incoming(this.pci);
    if (typeof core === "number") return false;
    flbs.put_incoming(this.pci);
    return "devices" in core && typeof core.devices === "bigint" &&
      (core.devices >> BigInt(index) & 1n) === 1n;
  }

  #file(device: VfioDevice, flags: number): OpenFile {
    const ioctls = new Map<number, DriverIoctl>([
      [vmm.VFIO_DEVICE_BIND_IOMMUFD, {
        size: vmm.BIND_IOMMUFD_SIZE,
        run: (struct, caller) => bind(device, struct, caller.fds.get(struct.getInt32(8, true))),
      }],
      [vmm.VFIO_DEVICE_ATTACH_IOMMUFD_PT, {
        size: vmm.ATTACH_IOMMUFD_PT_SIZE,
        run: () => {
          if (device.iommufd === undefined) return -Errno.EINVAL;
          device.attached = true;
          return 0;
        },
      }],
    ]);
    return driver_file(device, flags, path_of(device.index), ioctls, () => device.iommufd?.put());
  }

  can_preserve({ inode }: OpenFile): boolean {
    return inode instanceof VfioDevice;
  }

  /** Refuses a device that is not attached: it has no DMA to keep running. */
  preserve({ inode }: OpenFile, beside: PreservedBeside): Ret | PreservedState {
    if (!(inode instanceof VfioDevice) || inode.iommufd === undefined || !inode.attached) {
      return -Errno.EINVAL;
    }
    const token = beside.token_of(inode.iommufd);
    if (token === undefined) return -Errno.ENOENT;
    const data = preserve_state(this.kho, new Writer().u32(inode.index).u64(token).finish());
    if (data === undefined) return -Errno.ENOMEM;
    this.pci.devices |= 1n << BigInt(inode.index);
    return { data };
  }

  unpreserve({ inode }: OpenFile, { data }: PreservedState): void {
    this.kho.unpreserve_free(Number(data));
    if (inode instanceof VfioDevice) this.pci.devices &= ~(1n << BigInt(inode.index));
  }

  /** Retrieves the iommufd too when that has not happened yet. The device must be bound again. */
  retrieve(data: bigint, _uid: number, beside: HandedOverBeside): OpenFile | Ret {
    const found = decode(read_state(this.kho.ram, data));
    free_state(this.kho.ram, data);
    if (found === undefined) return -Errno.EINVAL;
    const iommufd = beside.file_of(found.token);
    if (typeof iommufd === "number") return iommufd;
    this.#waits(found.index);
    const device = new VfioDevice(this.system.new_ino(), character_device(0n).mode, found.index);
    device.expects = iommufd;
    return this.#file(device, O_RDWR);
  }

  can_finish(_data: bigint, retrieved: Retrieved): boolean {
    if (typeof retrieved !== "object") return false;
    return retrieved.inode instanceof VfioDevice && retrieved.inode.attached;
  }

  finish(_data: bigint, retrieved: Retrieved): void {
    if (typeof retrieved === "object" && retrieved.inode instanceof VfioDevice) {
      retrieved.inode.expects = undefined;
    }
  }

  identity({ inode }: OpenFile): object {
    return inode;
  }
}

function bind(device: VfioDevice, struct: DataView, file: OpenFile | undefined): Ret {
  if (file === undefined) return -Errno.EBADF;
  if (!(file.inode instanceof Iommufd) || device.iommufd !== undefined) return -Errno.EINVAL;
  if (device.expects !== undefined && device.expects !== file) return -Errno.EPERM;
  device.iommufd = file.get();
  struct.setUint32(12, ++file.inode.objects, true);
  return 0;
}

function decode(data: Uint8Array | undefined): { index: number; token: bigint } | undefined {
  try {
    const input = new Reader(data ?? new Uint8Array(0));
    return { index: input.u32(), token: input.u64() };
  } catch (error) {
    if (!(error instanceof BadBytes)) throw error;
  }
  return undefined;
}
