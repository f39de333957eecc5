/**
 * In the virtual machine of `capture_main.ts`: preserves what a story says, and executes the image that halts, so that memory
 * stays as this kernel left it.
 *
 *     capture_guest.ts none|memfds|chains|second
 */
import {
  F_ADD_SEALS,
  F_SEAL_GROW,
  F_SEAL_SEAL,
  F_SEAL_SHRINK,
  MFD_ALLOW_SEALING,
  MFD_EXEC,
  O_RDONLY,
} from "../../ffi/abi/fcntl.ts";
import { decodeFd, encodeSession, LIVEUPDATE_IOCTL_CREATE_SESSION } from "../../ffi/abi/liveupdate.ts";
import { check } from "../../lib/error.ts";
import { Fd } from "../../lib/fd.ts";
import type { Kernel } from "../../lib/kernel.ts";
import { type Device, exec, linux, loadImage, openDevice, Session } from "../../lib/luo.ts";
import { BOOT_IMAGE, BOOT_INITRD, nextCommandLine } from "./guest.ts";

const PAGE = 4096;
const MAX_TOKEN = 2n ** 64n - 1n;
/** For memfds: they get blocks of 2 MiB. */
const HUGE = "/sys/kernel/mm/transparent_hugepage/shmem_enabled";

/** A memfd of that size, filled with `fill` at each of the offsets for a page, the rest a hole. */
function memfd(kernel: Kernel, size: number, fill: number, offsets: readonly number[] = []): Fd {
  const fd = new Fd(
    kernel,
    check(kernel.memfd_create("captured", MFD_ALLOW_SEALING | MFD_EXEC), "make", "memfd"),
  );
  check(kernel.ftruncate(fd.number, BigInt(size)), "size", "memfd");
  for (const offset of offsets) {
    const bytes = new Uint8Array(Math.min(PAGE, size - offset)).fill(fill);
    check(kernel.pwrite(fd.number, bytes, BigInt(offset)), "write", "memfd");
  }
  return fd;
}

/** A session whose name is any bytes. */
function create(device: Device, name: string | Uint8Array): Session {
  const { kernel, number } = device.fd;
  const argument = encodeSession(name);
  check(kernel.ioctl(number, LIVEUPDATE_IOCTL_CREATE_SESSION, argument), "create", String(name));
  return new Session(new Fd(kernel, decodeFd(argument)), String(name));
}

/** Every byte a name may have, as many as fit. */
const ODD_NAME = Uint8Array.from(
  { length: 63 },
  (_, index) => [0xff, 0x0a, 0x1b, 0x20, 0x80][index % 5] ?? 0,
);

function memfds(kernel: Kernel, device: Device): Session[] {
  const vm = create(device, "vm0");
  const holes = memfd(kernel, 3 * PAGE, 0x41, [0, 2 * PAGE]);
  check(kernel.lseek(holes.number, 4097n, 0), "seek", "memfd");
  vm.preserve(holes, 1n);
  const sealed = memfd(kernel, 5000, 0x42, [0, PAGE]);
  const seals = F_SEAL_SEAL | F_SEAL_GROW | F_SEAL_SHRINK;
  check(kernel.fcntl(sealed.number, F_ADD_SEALS, seals), "seal", "memfd");
  vm.preserve(sealed, MAX_TOKEN);
  const odd = create(device, ODD_NAME);
  odd.preserve(memfd(kernel, 0, 0), 0n);
  const empty = create(device, "empty");
  const large = create(device, "large");
  large.preserve(memfd(kernel, 300 * PAGE, 0x43, [299 * PAGE]), 3n);
  Deno.writeTextFileSync(HUGE, "force");
  large.preserve(memfd(kernel, 5 * 1024 * 1024, 0x44, [0, 2 * 1024 * 1024, 4 * 1024 * 1024]), 4n);
  return [vm, odd, empty, large];
}

/** Three blocks of sessions, and two of files in one of them. */
function chains(kernel: Kernel, device: Device): Session[] {
  const sessions = Array.from({ length: 104 }, (_, index) => create(device, `session ${index}`));
  for (let token = 0; token < 70; token++) {
    sessions[7]?.preserve(memfd(kernel, token === 0 ? PAGE : 0, 0x45, token === 0 ? [0] : []), BigInt(token));
  }
  // Room is given back at the ends only: this leaves the others in their places.
  sessions[20]?.close();
  return sessions;
}

/** What an earlier boot preserved goes on, with something new before it. */
function again(kernel: Kernel, device: Device): Session[] {
  const old = device.retrieve("vm0");
  const file = old.restore(1n);
  old.finish();
  const fresh = create(device, "new");
  fresh.preserve(memfd(kernel, PAGE, 0x46, [0]), 1n);
  const again = create(device, "vm0");
  again.preserve(file, 1n);
  return [fresh, again];
}

function preserve(kernel: Kernel, device: Device, story: string, boot: number): Session[] {
  switch (story) {
    case "none":
      return [];
    case "memfds":
      return memfds(kernel, device);
    case "chains":
      return chains(kernel, device);
    case "second":
      return boot === 1 ? memfds(kernel, device) : again(kernel, device);
    default:
      throw new TypeError(`No story ${story}`);
  }
}

if (import.meta.main) {
  using kernel = linux();
  const [story = ""] = Deno.args;
  const boot = Number(Deno.env.get("LUO_BOOT"));
  const open = (path: string) => check(kernel.open(path, O_RDONLY), "open", path);
  const goes_on = story === "second" && boot === 1;
  const image = goes_on ? BOOT_IMAGE : "/share/boot/halt";
  const commandLine = nextCommandLine(Deno.readTextFileSync("/proc/cmdline"));
  loadImage(kernel, { kernel: open(image), initrd: open(BOOT_INITRD), commandLine });
  const device = openDevice(kernel);
  // They live as long as this process.
  const sessions = preserve(kernel, device, story, boot);
  console.log(`capture: ${sessions.length} sessions`);
  Deno.writeTextFileSync(`/results/exit.${boot}`, "0");
  exec(kernel);
}
