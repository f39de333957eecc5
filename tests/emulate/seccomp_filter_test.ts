/** The BPF filter, run in an interpreter: which calls reach luo, on both architectures. */
import assert from "node:assert/strict";
import { SECCOMP_RET_ALLOW, SECCOMP_RET_TRACE, SECCOMP_RET_USER_NOTIF } from "../../ffi/abi/seccomp.ts";
import { ARCHITECTURES, type Call, type TrapMode } from "../../lib/emulate/trapped_calls.ts";
import { filter } from "../../lib/emulate/seccomp_filter.ts";
import { watchFilter } from "../../lib/emulate/watch_filter.ts";

/** Runs a filter on a struct seccomp_data, by the rules of linux/filter.h. An unknown instruction fails the test. */
function run(program: Uint8Array, nr: number, audit: number, args: readonly (number | bigint)[]): number {
  const data = new DataView(new ArrayBuffer(64));
  data.setInt32(0, nr, true);
  data.setUint32(4, audit, true);
  args.forEach((value, index) => data.setBigUint64(16 + 8 * index, BigInt(value), true));
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength);
  let accumulator = 0;
  for (let at = 0;; at += 8) {
    const [code, jt, jf] = [view.getUint16(at, true), view.getUint8(at + 2), view.getUint8(at + 3)];
    const k = view.getUint32(at + 4, true);
    if (code === 0x06) return k;
    if (code === 0x20) accumulator = data.getUint32(k, true);
    else if (code === 0x54) accumulator = (accumulator & k) >>> 0;
    else if (code === 0x15) at += 8 * (accumulator === k ? jt : jf);
    else if (code === 0x25) at += 8 * (accumulator > k ? jt : jf);
    else if (code === 0x35) at += 8 * (accumulator >= k ? jt : jf);
    else assert.fail(`unknown instruction ${code}`);
  }
}

const [x86, arm] = [ARCHITECTURES.x86_64, ARCHITECTURES.aarch64];
const number = (call: Call, { calls } = x86) => calls[call]?.nr ?? assert.fail(`no ${call}`);

const cases: readonly {
  what: string;
  call: Call;
  args: readonly number[];
  plain: boolean;
  /** With --strict, where the guard may not trace. */
  strict: boolean;
  /** With --strict, where the guard traces; as `plain` unless it is here. */
  traced?: boolean;
}[] = [
  { what: "an open", call: "openat", args: [], plain: true, strict: true },
  { what: "a LUO ioctl", call: "ioctl", args: [3, 0xba41], plain: true, strict: true },
  {
    what: "a LUO ioctl with direction and size bits",
    call: "ioctl",
    args: [3, 0xc010ba40],
    plain: true,
    strict: true,
  },
  { what: "an ioctl of another type", call: "ioctl", args: [3, 0x5401], plain: false, strict: true },
  { what: "a seal", call: "fcntl", args: [3, 1033, 8], plain: true, strict: true, traced: false },
  { what: "another fcntl", call: "fcntl", args: [3, 3], plain: false, strict: true },
  { what: "MADV_REMOVE", call: "madvise", args: [0, 4096, 9], plain: true, strict: true },
  { what: "MADV_DONTNEED", call: "madvise", args: [0, 4096, 4], plain: false, strict: false },
  { what: "a write", call: "write", args: [1], plain: false, strict: true },
  { what: "an unshare of mounts", call: "unshare", args: [0x20000], plain: true, strict: true },
  { what: "an unshare of fds", call: "unshare", args: [0x400], plain: false, strict: false },
  { what: "a handle", call: "open_by_handle_at", args: [3, 0, 2], plain: true, strict: true },
  { what: "kexec_load", call: "kexec_load", args: [], plain: true, strict: true },
  { what: "io_uring_setup", call: "io_uring_setup", args: [], plain: true, strict: true },
  { what: "an extended attribute", call: "getxattrat", args: [], plain: true, strict: true },
  {
    what: "a stat by an fd",
    call: "newfstatat",
    args: [3, 0, 0, 0x1000],
    plain: true,
    strict: true,
    traced: false,
  },
  {
    what: "a stat of the working directory",
    call: "newfstatat",
    args: [-100, 0, 0, 0x1000],
    plain: true,
    strict: true,
  },
  { what: "a stat by a path", call: "newfstatat", args: [3, 0, 0, 0x100], plain: true, strict: true },
  { what: "a statx by an fd", call: "statx", args: [3, 0, 0x1000], plain: true, strict: true, traced: false },
  { what: "a receipt", call: "recvmsg", args: [3], plain: false, strict: false, traced: true },
  { what: "a filter", call: "seccomp", args: [1, 0, 0, 0], plain: false, strict: false, traced: true },
  {
    what: "a filter of the guard",
    call: "seccomp",
    args: [1, 5, 0, 0x6c756f21],
    plain: false,
    strict: false,
  },
  { what: "a copy of an fd", call: "dup", args: [3], plain: false, strict: false },
  { what: "reboot", call: "reboot", args: [], plain: true, strict: true },
];

for (const [name, architecture] of Object.entries(ARCHITECTURES)) {
  for (const { what, call, args, plain, strict, traced = plain } of cases) {
    Deno.test(`${name}: ${what} is ${plain ? "served" : strict ? "served with --strict" : "not served"}`, () => {
      const nr = number(call, architecture);
      const served = (mode: TrapMode) => run(filter(mode, architecture), nr, architecture.audit, args);
      assert.equal(served("plain"), plain ? SECCOMP_RET_USER_NOTIF : SECCOMP_RET_ALLOW);
      assert.equal(served("strict"), strict ? SECCOMP_RET_USER_NOTIF : SECCOMP_RET_ALLOW);
      assert.equal(served("strict traced"), traced ? SECCOMP_RET_USER_NOTIF : SECCOMP_RET_ALLOW);
    });
  }
}

const MARK = 0xfedc_ba98_7654_3210n;
const opens: readonly { what: string; call: Call; args: readonly (number | bigint)[]; free: boolean }[] = [
  { what: "that only reads", call: "openat", args: [-100, 0, 0o2000000], free: true },
  { what: "of a directory", call: "openat", args: [3, 0, 0o2000000 | 0o200000], free: true },
  { what: "with the mark", call: "openat", args: [-100, 0, 0, 0, 0, MARK], free: false },
  { what: "with half of it", call: "openat", args: [-100, 0, 0, 0, 0, MARK & 0xffff_ffffn], free: true },
  { what: "with the other half", call: "openat", args: [-100, 0, 0, 0, 0, MARK ^ 1n], free: true },
  { what: "that writes", call: "openat", args: [-100, 0, 1], free: false },
  { what: "that reads and writes", call: "openat", args: [-100, 0, 2], free: false },
  { what: "with access mode 3", call: "openat", args: [-100, 0, 3], free: false },
  { what: "that makes a file", call: "openat", args: [-100, 0, 0o100], free: false },
  { what: "that truncates", call: "openat", args: [-100, 0, 0o1000], free: false },
  { what: "of a path", call: "openat", args: [-100, 0, 0o10000000], free: false },
  { what: "of no name", call: "openat", args: [-100, 0, 0o20000000], free: false },
  { what: "without a time", call: "openat", args: [-100, 0, 0o1000000], free: false },
  { what: "with a struct", call: "openat2", args: [-100, 0, 0, 24], free: false },
];

for (const [name, architecture] of Object.entries(ARCHITECTURES)) {
  for (const { what, call, args, free } of opens) {
    Deno.test(`${name}: an open ${what} is ${free ? "not " : ""}trapped where tripwires lie`, () => {
      const nr = number(call, architecture);
      const { audit } = architecture;
      for (const mode of ["plain traced", "strict traced"] as const) {
        const [byTripwires, without] = [filter(mode, architecture, MARK), filter(mode, architecture)];
        assert.equal(run(byTripwires, nr, audit, args), free ? SECCOMP_RET_ALLOW : SECCOMP_RET_USER_NOTIF);
        assert.equal(run(without, nr, audit, args), SECCOMP_RET_USER_NOTIF);
      }
      for (const strict of [false, true]) {
        const stops = free ? SECCOMP_RET_TRACE | 0x8000 : SECCOMP_RET_ALLOW;
        assert.equal(run(watchFilter(strict, architecture, MARK), nr, audit, args), stops);
        assert.equal(run(watchFilter(strict, architecture), nr, audit, args), SECCOMP_RET_ALLOW);
      }
    });
  }
}

Deno.test("open is trapped as openat is", () => {
  const program = filter("plain traced", x86, MARK);
  assert.equal(run(program, number("open"), x86.audit, [0, 0]), SECCOMP_RET_ALLOW);
  assert.equal(run(program, number("open"), x86.audit, [0, 0, 0, 0, 0, MARK]), SECCOMP_RET_USER_NOTIF);
  assert.equal(run(program, number("open"), x86.audit, [0, 2]), SECCOMP_RET_USER_NOTIF);
});

Deno.test("calls of another architecture, and unknown calls, are not trapped", () => {
  assert.equal(run(filter("strict"), number("openat"), arm.audit, []), SECCOMP_RET_ALLOW);
  assert.equal(run(filter("strict"), 5000, x86.audit, []), SECCOMP_RET_ALLOW);
});

/** The filter of the guard for the numbers 5 to 7. */
function watching(architecture = x86): Uint8Array {
  const bytes = watchFilter(true, architecture);
  const view = new DataView(bytes.buffer);
  for (let at = 4; at < bytes.length; at += 8) {
    const mark = view.getUint32(at, true);
    if (mark === 0xf1f1_f1f1) view.setUint32(at, 5, true);
    if (mark === 0xf2f2_f2f2) view.setUint32(at, 7, true);
  }
  return bytes;
}

const watched: readonly { call: Call; args: readonly number[]; stopped: boolean }[] = [
  ...[4, 5, 6, 7, 8, -1].map((fd) => ({ call: "read" as const, args: [fd], stopped: fd >= 5 && fd <= 7 })),
  { call: "write", args: [5], stopped: true },
  { call: "write", args: [2, 5, 5], stopped: false },
  { call: "newfstatat", args: [6, 0, 0, 0x1000], stopped: true },
  { call: "fcntl", args: [7, 1033], stopped: true },
  { call: "dup", args: [6], stopped: true },
  { call: "dup3", args: [1, 6], stopped: false },
  { call: "mmap", args: [5, 4096, 1, 1, 9, 0], stopped: false },
  { call: "mmap", args: [0, 4096, 1, 1, 5, 0], stopped: true },
  { call: "sendfile", args: [9, 5], stopped: true },
  { call: "sendfile", args: [5, 9], stopped: true },
  { call: "splice", args: [9, 5, 9], stopped: false },
  { call: "splice", args: [9, 0, 5], stopped: true },
  { call: "io_submit", args: [0, 1, 0], stopped: true },
  { call: "sendmsg", args: [9], stopped: true },
  { call: "openat", args: [5], stopped: false },
];

/** What the guard gets with a stop: a bit for each argument that is an fd. No argument of the last two is an fd that is watched. */
const DATA: Readonly<Partial<Record<Call, number>>> = {
  ...{ read: 2, write: 2, newfstatat: 2, fcntl: 2, dup: 2, mmap: 32, sendfile: 6, splice: 10 },
  ...{ io_submit: 1, sendmsg: 1 },
};

for (const [name, architecture] of Object.entries(ARCHITECTURES)) {
  for (const { call, args, stopped } of watched) {
    Deno.test(`${name}: ${call}(${args.join(", ")}) is ${stopped ? "" : "not "}stopped by a filter for 5 to 7`, () => {
      const answer = run(watching(architecture), number(call, architecture), architecture.audit, args);
      assert.equal(answer, stopped ? SECCOMP_RET_TRACE | (DATA[call] ?? 0) : SECCOMP_RET_ALLOW);
    });
  }
}
