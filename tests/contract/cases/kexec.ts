/** Cases: loading and unloading the next kernel. */
import {
  KEXEC_CMDLINE_MAX,
  KEXEC_FILE_NO_INITRAMFS,
  KEXEC_FILE_ON_CRASH,
  KEXEC_FILE_UNLOAD,
  LINUX_REBOOT_CMD_KEXEC,
} from "../../../ffi/abi/kexec.ts";
import { O_CLOEXEC, O_DIRECTORY, O_RDONLY, O_RDWR, O_WRONLY } from "../../../ffi/abi/fcntl.ts";
import type { UserPointer } from "../../../lib/system_calls.ts";
import { memory } from "../calls.ts";
import { answers, type Case, equal, good, ok, type World } from "../world.ts";

const line = (text: string) => new TextEncoder().encode(text + "\0");
const NO_INITRAMFS = BigInt(KEXEC_FILE_NO_INITRAMFS);

interface Load {
  readonly kernel?: number;
  readonly initrd?: number;
  readonly length?: number;
  readonly cmdline?: UserPointer;
  readonly flags?: bigint;
}

const image = (world: World, flags = O_RDONLY) =>
  world.keep(world.sys.open(world.paths.image, flags | O_CLOEXEC), "open image");

/** A memfd with a copy of the image. */
function copied(world: World, bytes?: number): number {
  const whole = world.contents(image(world));
  return world.memfd(whole.slice(0, bytes ?? whole.length));
}

/** kexec_file_load of a good image without an initramfs, unless the second argument says otherwise. */
function load(
  world: World,
  { kernel, initrd = -1, cmdline = line("quiet"), length, flags = NO_INITRAMFS }: Load = {},
) {
  const bytes = cmdline === null ? 0 : cmdline instanceof Uint8Array ? cmdline.length : cmdline.bytes.length;
  return world.sys.kexec_file_load(
    kernel ?? image(world),
    initrd,
    BigInt(length ?? bytes),
    cmdline,
    flags,
  );
}

const unload = (world: World) => world.sys.kexec_file_load(-1, -1, 0n, null, BigInt(KEXEC_FILE_UNLOAD));

/** A short file of the kernel's. */
function text(world: World, path: string): string {
  const fd = world.keep(world.sys.open(path, O_RDONLY), `open ${path}`);
  const bytes = new Uint8Array(256);
  return new TextDecoder().decode(bytes.subarray(0, good(world.sys.read(fd, bytes), "read")));
}

const loaded = (world: World) => text(world, "/sys/kernel/kexec_loaded");

const LIMIT = "/proc/sys/kernel/kexec_load_limit_reboot";
const loadsLeft = (world: World) => Number(text(world, LIMIT));

function limitLoads(world: World, limit: string): number {
  const fd = world.keep(world.sys.open(LIMIT, O_WRONLY), `open ${LIMIT}`);
  return world.sys.write(fd, new TextEncoder().encode(limit));
}

const execute = (world: World) => world.sys.reboot(LINUX_REBOOT_CMD_KEXEC);

type Answer = 0 | "EINVAL" | "EBADF" | "EFAULT" | "ENOEXEC" | "ETXTBSY" | "EADDRNOTAVAIL";

/** What x86-64 answers, or that and what arm64 answers: its only loader says EINVAL of all that is no arm64 Image. */
type Answers = Answer | readonly [x86_64: Answer, aarch64: Answer];

const isArm64 = (world: World) => world.sys.uname().machine === "aarch64";

const rows: readonly [what: string, answer: Answers, make: (world: World) => Load][] = [
  ["a good image without initramfs", 0, () => ({})],
  ["a memfd open for writing", 0, (world) => ({ kernel: copied(world) })],
  ["any file as initramfs", 0, (world) => ({ initrd: world.memfd(new Uint8Array(100)), flags: 0n })],
  ["an image cut off at half its length", 0, (world) => {
    const half = Number(world.stat(image(world)).size) >> 1;
    return { kernel: copied(world, half) };
  }],
  ["no command line at all", 0, () => ({ cmdline: null })],
  ["an empty command line", 0, () => ({ cmdline: line("") })],
  [
    `a command line of ${KEXEC_CMDLINE_MAX} bytes`,
    0,
    () => ({ cmdline: line("x".repeat(KEXEC_CMDLINE_MAX - 1)) }),
  ],
  [
    `one of ${KEXEC_CMDLINE_MAX + 1}`,
    ["EINVAL", 0],
    () => ({ cmdline: line("x".repeat(KEXEC_CMDLINE_MAX)) }),
  ],
  ["a command line without NUL", "EINVAL", () => ({ cmdline: line("abc"), length: 3 })],
  ["a command line that cannot be read", "EFAULT", () => ({ cmdline: memory(line("abc")), length: 5000 })],
  ["a null command line with a length", "EFAULT", () => ({ cmdline: null, length: 5 })],
  ["an unknown flag", "EINVAL", () => ({ flags: NO_INITRAMFS | 0x1000n })],
  [
    "a crash image without a reservation",
    "EADDRNOTAVAIL",
    () => ({ flags: NO_INITRAMFS | BigInt(KEXEC_FILE_ON_CRASH) }),
  ],
  ["an initramfs as large as all scratch areas", "EADDRNOTAVAIL", (world) => {
    const areas = text(world, "/sys/kernel/debug/kho/out/scratch_len").trim().split("\n").map(Number);
    return { initrd: world.memfd(areas.reduce((sum, bytes) => sum + bytes, 0)), flags: 0n };
  }],
  ["kernel fd -1", "EBADF", () => ({ kernel: -1 })],
  ["initrd fd -1 without NO_INITRAMFS", "EBADF", () => ({ flags: 0n })],
  ["an initrd fd that NO_INITRAMFS makes unread", 0, () => ({ initrd: 12345 })],
  ["a write-only file", "EBADF", (world) => {
    const memfd = copied(world);
    return { kernel: world.keep(world.sys.open(`/proc/self/fd/${memfd}`, O_WRONLY)) };
  }],
  ["an empty file", "EINVAL", (world) => ({ kernel: world.memfd() })],
  ["a directory", "EINVAL", (world) => ({
    kernel: world.keep(world.sys.open(world.paths.tmpfs, O_RDONLY | O_DIRECTORY)),
  })],
  [
    "a character device",
    "EINVAL",
    (world) => ({ kernel: world.keep(world.sys.open("/dev/null", O_RDONLY)) }),
  ],
  ["a file of zeros", ["ENOEXEC", "EINVAL"], (world) => ({ kernel: world.memfd(1 << 20) })],
  ["a file of one byte", ["ENOEXEC", "EINVAL"], (world) => ({ kernel: world.memfd(1) })],
  ["an image with a broken signature", ["ENOEXEC", "EINVAL"], (world) => {
    const memfd = copied(world);
    answers(world.sys.pwrite(memfd, new Uint8Array(4), isArm64(world) ? 56n : 0x202n), 4);
    return { kernel: memfd };
  }],
  ["an image without its boot sector's mark", ["ENOEXEC", 0], (world) => {
    const memfd = copied(world);
    answers(world.sys.pwrite(memfd, new Uint8Array(2), 0x1fen), 2);
    return { kernel: memfd };
  }],
  ["a file that is open for writing", "ETXTBSY", (world) => {
    world.keep(world.sys.open(world.paths.disk, O_RDWR), "open for writing");
    return { kernel: world.keep(world.sys.open(world.paths.disk, O_RDONLY)) };
  }],
];

const table = rows.map(([what, expected, make]): Case => ({
  name: typeof expected === "object"
    ? `kexec_file_load: ${what} is ${expected[0]}, on arm64 ${expected[1]}`
    : `kexec_file_load: ${what} is ${expected}`,
  whole_machine: true,
  run(world) {
    const answer = typeof expected === "object" ? expected[isArm64(world) ? 1 : 0] : expected;
    answers(load(world, make(world)), answer);
    answers(unload(world), 0);
  },
}));

export const kexecCases: readonly Case[] = [
  ...table,
  {
    name: "kexec_file_load: UNLOAD with nothing loaded is 0",
    whole_machine: true,
    run(world) {
      answers(unload(world), 0);
      answers(unload(world), 0);
    },
  },
  {
    name: "reboot KEXEC: EINVAL when nothing is loaded, and nothing is lost",
    whole_machine: true,
    run(world) {
      answers(unload(world), 0);
      const session = world.create("survives a refusal");
      const memfd = world.memfd(10);
      world.preserve(session, memfd, 1n);
      answers(execute(world), "EINVAL");
      answers(world.sys.ftruncate(memfd, 0n), "EPERM");
      world.preserve(session, world.memfd(), 2n);
    },
  },
  {
    name: "reboot KEXEC: EINVAL again after UNLOAD",
    whole_machine: true,
    run(world) {
      answers(load(world), 0);
      answers(unload(world), 0);
      answers(execute(world), "EINVAL");
    },
  },
  {
    name: "the loaded image's files may be closed, and sessions made afterwards",
    whole_machine: true,
    run(world) {
      const fd = image(world);
      answers(load(world, { kernel: fd }), 0);
      world.close(fd);
      world.preserve(world.create("after the load"), world.memfd(1), 1n);
      answers(unload(world), 0);
    },
  },
  {
    name: "/sys/kernel/kexec_loaded says whether an image is loaded; a failed load keeps the one before",
    whole_machine: true,
    run(world) {
      answers(unload(world), 0);
      equal(loaded(world), "0\n");
      answers(load(world), 0);
      equal(loaded(world), "1\n");
      answers(load(world, { kernel: world.memfd(4096) }), isArm64(world) ? "EINVAL" : "ENOEXEC");
      answers(load(world, { cmdline: line("abc"), length: 3 }), "EINVAL");
      equal(loaded(world), "1\n");
      answers(unload(world), 0);
      equal(loaded(world), "0\n");
    },
  },
  {
    name: "/sys/kernel/kexec_loaded stays when a crash image is unloaded that was never loaded",
    whole_machine: true,
    run(world) {
      answers(load(world), 0);
      const flags = BigInt(KEXEC_FILE_UNLOAD | KEXEC_FILE_ON_CRASH);
      answers(world.sys.kexec_file_load(-1, -1, 0n, null, flags), 0);
      equal(loaded(world), "1\n");
      answers(unload(world), 0);
    },
  },
  {
    name: "/sys/kernel/kexec_crash_size takes no more than it is",
    whole_machine: true,
    run(world) {
      const file = "/sys/kernel/kexec_crash_size";
      equal(text(world, file), "0\n");
      const fd = world.keep(world.sys.open(file, O_WRONLY), `open ${file}`);
      const put = (size: string) => world.sys.write(fd, new TextEncoder().encode(size));
      for (const size of ["1", "4096", "-1", "x", " 0", "0 "]) answers(put(size), "EINVAL");
      for (const size of ["0", "0\n", "0x0", "+0", "000"]) answers(put(size), size.length);
      answers(put(""), 0);
      equal(text(world, file), "0\n");
    },
  },
  {
    name: "kexec_load_limit_reboot counts every call, also one that fails, but for crash images",
    whole_machine: true,
    run(world) {
      if (loadsLeft(world) < 0) answers(limitLoads(world, "2147483647\n"), 11);
      const left = loadsLeft(world);
      answers(load(world), 0);
      equal(loadsLeft(world), left - 1);
      answers(load(world, { kernel: -1 }), "EBADF");
      answers(load(world, { flags: NO_INITRAMFS | 0x1000n }), "EINVAL");
      equal(loadsLeft(world), left - 3);
      answers(load(world, { flags: NO_INITRAMFS | BigInt(KEXEC_FILE_ON_CRASH) }), "EADDRNOTAVAIL");
      equal(loadsLeft(world), left - 3);
      answers(unload(world), 0);
      equal(loadsLeft(world), left - 4);
    },
  },
  {
    name: "kexec_load_limit_reboot takes a lower number only",
    whole_machine: true,
    run(world) {
      if (loadsLeft(world) < 0) answers(limitLoads(world, "2147483647\n"), 11);
      const left = loadsLeft(world);
      for (const text of ["-1", "-2", "abc", String(left), String(left + 1), "2147483648"]) {
        answers(limitLoads(world, text), "EINVAL");
      }
      equal(loadsLeft(world), left);
      answers(limitLoads(world, ` ${left - 1} \n`), String(left - 1).length + 3);
      equal(loadsLeft(world), left - 1);
    },
  },
  {
    name: "kexec_load_limit_reboot takes octal and hexadecimal numbers, and the first word of several",
    whole_machine: true,
    run(world) {
      if (loadsLeft(world) < 0) answers(limitLoads(world, "2147483647\n"), 11);
      const left = loadsLeft(world);
      for (const text of [" ", "08", "0x", "1x", "1\0", "1\v", "+1", "- 1", "0".repeat(22)]) {
        answers(limitLoads(world, text), "EINVAL");
      }
      answers(limitLoads(world, `0x${(left - 1).toString(16)}`), 2 + (left - 1).toString(16).length);
      equal(loadsLeft(world), left - 1);
      answers(limitLoads(world, `0${(left - 2).toString(8)}\t7`), 2 + (left - 2).toString(8).length);
      equal(loadsLeft(world), left - 2);
    },
  },
  {
    name: "reboot: an unknown command is EINVAL",
    whole_machine: true,
    run(world) {
      answers(world.sys.reboot(0x12345), "EINVAL");
    },
  },
  {
    name: "uname says which kernel this is",
    run(world) {
      const { sysname, release } = world.sys.uname();
      ok(sysname === "Linux" && /^\d+\.\d+/.test(release));
      good(world.sys.getpid(), "getpid");
    },
  },
];
