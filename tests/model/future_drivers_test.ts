/** The simulated drivers: iommufd, vfio, guest_memfd and hugetlb memfds over a live update. */
import assert from "node:assert/strict";
import { Errno } from "../../ffi/abi/errno.ts";
import * as abi from "../../ffi/abi/fcntl.ts";
import { KEXEC_FILE_NO_INITRAMFS, LINUX_REBOOT_CMD_KEXEC } from "../../ffi/abi/kexec.ts";
import * as vmm from "../../ffi/abi/vmm.ts";
import { ProcessKilled, type SystemCalls } from "../../lib/system_calls.ts";
import { MemoryDisk } from "../../lib/model/fs/disk.ts";
import { audit } from "../../lib/model/audit.ts";
import { Machine } from "../../lib/model/machine.ts";
import { Fd } from "../../lib/fd.ts";
import { openDevice, type OutgoingSession } from "../../lib/session.ts";
import { image } from "./image.ts";

const ALL = "liveupdate=on luo_rehearsal=vfio,iommufd,guest_memfd,hugetlb";
const PAGE = 4096;

function machine(command_line = ALL): Machine {
  return new Machine({ memory_bytes: 16 << 20, command_line, disk: new MemoryDisk({ "/k": image() }) });
}

function kexec(sys: SystemCalls, command_line = ALL): void {
  const line = new TextEncoder().encode(`${command_line}\0`);
  const fd = sys.open("/k", abi.O_RDONLY);
  sys.kexec_file_load(fd, -1, BigInt(line.length), line, BigInt(KEXEC_FILE_NO_INITRAMFS));
  assert.throws(() => sys.reboot(LINUX_REBOOT_CMD_KEXEC), ProcessKilled);
}

function opened(sys: SystemCalls, path: string): number {
  const fd = sys.open(path, abi.O_RDWR | abi.O_CLOEXEC);
  assert.ok(fd >= 0, `${path}: ${fd}`);
  return fd;
}

/** A struct whose first u32 is its size. */
function struct(size: number, fill: (view: DataView) => void = () => {}): Uint8Array {
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, size, true);
  fill(view);
  return bytes;
}

function bind(sys: SystemCalls, device: number, iommufd: number): number {
  const argument = struct(vmm.BIND_IOMMUFD_SIZE, (view) => view.setInt32(8, iommufd, true));
  return sys.ioctl(device, vmm.VFIO_DEVICE_BIND_IOMMUFD, argument);
}

function attach(sys: SystemCalls, device: number): number {
  return sys.ioctl(device, vmm.VFIO_DEVICE_ATTACH_IOMMUFD_PT, struct(vmm.ATTACH_IOMMUFD_PT_SIZE));
}

function map(sys: SystemCalls, iommufd: number, memfd: number): number {
  const argument = struct(vmm.IOAS_MAP_FILE_SIZE, (view) => {
    view.setInt32(12, memfd, true);
    view.setBigUint64(24, BigInt(PAGE), true);
    view.setBigUint64(32, 1n << 32n, true);
  });
  return sys.ioctl(iommufd, vmm.IOMMU_IOAS_MAP_FILE, argument);
}

const SEALS = abi.F_SEAL_SEAL | abi.F_SEAL_GROW | abi.F_SEAL_SHRINK;

/** A guest's memory, its iommufd and its device, as a VMM holds them. */
function virtual_machine(sys: SystemCalls, seals = SEALS) {
  const memory = sys.memfd_create("guest", abi.MFD_EXEC | abi.MFD_ALLOW_SEALING);
  sys.write(memory, new Uint8Array(PAGE).fill(7));
  sys.fcntl(memory, abi.F_ADD_SEALS, seals);
  const iommufd = opened(sys, "/dev/iommu");
  const device = opened(sys, "/dev/vfio/devices/vfio0");
  assert.equal(sys.ioctl(iommufd, vmm.IOMMU_IOAS_ALLOC, struct(vmm.IOAS_ALLOC_SIZE)), 0);
  assert.equal(map(sys, iommufd, memory), 0);
  assert.equal(bind(sys, device, iommufd), 0);
  assert.equal(attach(sys, device), 0);
  return { memory, iommufd, device };
}

const [MEMORY, IOMMUFD, DEVICE] = [1n, 2n, 3n];

function preserve(session: OutgoingSession, vm: ReturnType<typeof virtual_machine>): void {
  session.preserve(new Fd(session.fd.sys, vm.memory), MEMORY);
  session.preserve(new Fd(session.fd.sys, vm.iommufd), IOMMUFD);
  session.preserve(new Fd(session.fd.sys, vm.device), DEVICE);
}

Deno.test("without luo_rehearsal= the simulated devices do not exist", () => {
  const sys = machine("liveupdate=on").init();
  for (const path of ["/dev/iommu", "/dev/kvm", "/dev/vfio/devices/vfio0"]) {
    assert.equal(sys.open(path, abi.O_RDWR), -Errno.ENOENT);
  }
});

Deno.test("the memfd is preserved first, then the iommufd, then the device; any other order is refused", () => {
  const sys = machine().init();
  const vm = virtual_machine(sys);
  const session = openDevice(sys).create("vm");
  assert.throws(() => session.preserve(new Fd(sys, vm.device), DEVICE), { errno: Errno.ENOENT });
  assert.throws(() => session.preserve(new Fd(sys, vm.iommufd), IOMMUFD), { errno: Errno.ENOENT });
  preserve(session, vm);
  assert.equal(map(sys, vm.iommufd, vm.memory), -Errno.EBUSY, "a preserved iommufd accepts no mapping");
});

Deno.test("a memfd preserved in another session does not count", () => {
  const sys = machine().init();
  const vm = virtual_machine(sys);
  const device = openDevice(sys);
  device.create("a").preserve(new Fd(sys, vm.memory), MEMORY);
  const other = device.create("b");
  assert.throws(() => other.preserve(new Fd(sys, vm.iommufd), IOMMUFD), { errno: Errno.ENOENT });
});

Deno.test("an iommufd whose memfd could change its size is refused", () => {
  const sys = machine().init();
  const vm = virtual_machine(sys, abi.F_SEAL_GROW);
  const session = openDevice(sys).create("vm");
  session.preserve(new Fd(sys, vm.memory), MEMORY);
  assert.throws(() => session.preserve(new Fd(sys, vm.iommufd), IOMMUFD), { errno: Errno.EINVAL });
});

Deno.test("closing the session unpreserves everything, and it can be preserved again", () => {
  const sys = machine().init();
  const vm = virtual_machine(sys);
  const device = openDevice(sys);
  for (let i = 0; i < 2; i++) {
    const session = device.create("vm");
    preserve(session, vm);
    session.close();
    assert.equal(map(sys, vm.iommufd, vm.memory), 0);
  }
});

/** A machine after the live update of a virtual machine. Only the session is retrieved. */
function updated() {
  const m = machine();
  const sys = m.init();
  preserve(openDevice(sys).create("vm"), virtual_machine(sys));
  kexec(sys);
  return { m, kernel: m.init(), session: openDevice(m.init()).retrieve("vm") };
}

Deno.test("a session can be finished only after its iommufd is retrieved and its device attached", () => {
  const { m, kernel: sys, session } = updated();
  const refused = () => assert.throws(() => session.finish(), { errno: Errno.EBUSY });
  refused();
  const device = session.restore(DEVICE).number;
  refused();
  assert.equal(attach(sys, device), -Errno.EINVAL, "the device is not bound");
  const iommufd = session.restore(IOMMUFD).number;
  refused();
  assert.equal(bind(sys, device, iommufd), 0);
  assert.equal(attach(sys, device), 0);
  session.finish();
  m.kill(sys.getpid());
  assert.deepEqual(audit(m), []);
  assert.doesNotMatch(m.console.join("\n"), /underflow/);
});

Deno.test("a retrieved device can be bound to the retrieved iommufd only", () => {
  const { kernel: sys, session } = updated();
  const device = session.restore(DEVICE).number;
  assert.equal(bind(sys, device, opened(sys, "/dev/iommu")), -Errno.EPERM);
  assert.equal(bind(sys, device, session.restore(IOMMUFD).number), 0);
});

Deno.test("the device cannot be opened again until the session is finished", () => {
  const { kernel: sys, session } = updated();
  const again = () => sys.open("/dev/vfio/devices/vfio0", abi.O_RDWR);
  assert.equal(again(), -Errno.EBUSY);
  assert.ok(sys.open("/dev/vfio/devices/vfio1", abi.O_RDWR) >= 0, "the other one was not handed over");
  const device = session.restore(DEVICE).number;
  bind(sys, device, session.restore(IOMMUFD).number);
  attach(sys, device);
  assert.equal(again(), -Errno.EBUSY);
  session.finish();
  assert.ok(again() >= 0);
});

Deno.test("the iommufd retrieves the guest's memory too, and its token still works", () => {
  const { kernel: sys, session } = updated();
  session.restore(IOMMUFD);
  const bytes = new Uint8Array(PAGE);
  assert.equal(sys.pread(session.restore(MEMORY).number, bytes, 0n), PAGE);
  assert.deepEqual(bytes, new Uint8Array(PAGE).fill(7));
});

Deno.test("a next kernel without the driver gives EIO at every open of the device", () => {
  const m = machine();
  preserve(openDevice(m.init()).create("vm"), virtual_machine(m.init()));
  kexec(m.init(), "liveupdate=on luo_rehearsal=hugetlb");
  for (let i = 0; i < 2; i++) assert.equal(m.init().open("/dev/liveupdate", abi.O_RDWR), -Errno.EIO);
});

function guest_memfd(sys: SystemCalls, pages: number): number {
  const vm = sys.ioctl(opened(sys, "/dev/kvm"), vmm.KVM_CREATE_VM, null);
  const argument = new Uint8Array(vmm.GUEST_MEMFD_SIZE);
  new DataView(argument.buffer).setBigUint64(0, BigInt(pages * PAGE), true);
  return sys.ioctl(vm, vmm.KVM_CREATE_GUEST_MEMFD, argument);
}

Deno.test("a guest_memfd keeps its size, its pages and its holes, and is frozen while it is preserved", () => {
  const m = machine();
  const sys = m.init();
  const fd = guest_memfd(sys, 8);
  assert.equal(sys.read(fd, new Uint8Array(1)), -Errno.EINVAL, "the host cannot read it");
  assert.equal(sys.fallocate(fd, abi.FALLOC_FL_KEEP_SIZE, BigInt(2 * PAGE), BigInt(PAGE)), 0);
  openDevice(sys).create("vm").preserve(new Fd(sys, fd), 1n);
  assert.equal(sys.fallocate(fd, abi.FALLOC_FL_KEEP_SIZE, 0n, BigInt(PAGE)), -Errno.EBUSY);
  kexec(sys);
  const session = openDevice(m.init()).retrieve("vm");
  const stat = m.init().fstat(session.restore(1n).number);
  assert.ok(typeof stat === "object");
  assert.deepEqual([stat.size, stat.blocks], [BigInt(8 * PAGE), 8n]);
  m.kill(m.init().getpid());
  assert.deepEqual(audit(m), []);
});

Deno.test("finish frees a guest_memfd that was not retrieved", () => {
  const m = machine();
  const fd = guest_memfd(m.init(), 4);
  m.init().fallocate(fd, abi.FALLOC_FL_KEEP_SIZE, 0n, BigInt(4 * PAGE));
  openDevice(m.init()).create("vm").preserve(new Fd(m.init(), fd), 1n);
  kexec(m.init());
  const device = openDevice(m.init());
  const waiting = m.ram.unclaimed_frames;
  device.retrieve("vm").finish();
  // Frees four pages, their list, the chunk of the list, the struct, and the block of the session's files.
  assert.equal(m.ram.unclaimed_frames, waiting - 4 - 4);
  m.kill(m.init().getpid());
  assert.deepEqual(audit(m), []);
});

Deno.test("Linux refuses hugetlb memfds; the simulated driver preserves them, retrieved or not", () => {
  const HUGE = 2n << 20n;
  const make = (sys: SystemCalls) => {
    const fd = sys.memfd_create("h", abi.MFD_EXEC | abi.MFD_HUGETLB | abi.MFD_ALLOW_SEALING);
    sys.ftruncate(fd, HUGE);
    return fd;
  };
  const today = machine("liveupdate=on").init();
  const refused = openDevice(today).create("s");
  assert.throws(() => refused.preserve(new Fd(today, make(today)), 1n), { errno: Errno.ENOENT });
  const m = machine();
  const session = openDevice(m.init()).create("s");
  for (const token of [1n, 2n]) session.preserve(new Fd(m.init(), make(m.init())), token);
  kexec(m.init());
  const next = openDevice(m.init()).retrieve("s");
  const stat = m.init().fstat(next.restore(1n).number);
  assert.equal(typeof stat === "object" && stat.size, HUGE);
  next.finish();
  assert.doesNotMatch(m.console.join("\n"), /underflow/);
});
