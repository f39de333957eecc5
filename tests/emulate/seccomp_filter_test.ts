/** The BPF filter, run in an interpreter: which calls reach luo, on both architectures. */
import assert from "node:assert/strict";
import { SECCOMP_RET_ALLOW, SECCOMP_RET_USER_NOTIF } from "../../ffi/abi/seccomp.ts";
import { ARCHITECTURES, type Call } from "../../lib/emulate/trapped_calls.ts";
import { filter } from "../../lib/emulate/seccomp_filter.ts";

/** Runs a filter on a struct seccomp_data, by the rules of linux/filter.h. An unknown instruction fails the test. */
function run(program: Uint8Array, nr: number, audit: number, args: readonly number[]): number {
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
  strict: boolean;
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
  { what: "a seal", call: "fcntl", args: [3, 1033, 8], plain: true, strict: true },
  { what: "another fcntl", call: "fcntl", args: [3, 3], plain: false, strict: true },
  { what: "MADV_REMOVE", call: "madvise", args: [0, 4096, 9], plain: true, strict: true },
  { what: "MADV_DONTNEED", call: "madvise", args: [0, 4096, 4], plain: false, strict: false },
  { what: "a write", call: "write", args: [1], plain: false, strict: true },
  { what: "an unshare of mounts", call: "unshare", args: [0x20000], plain: true, strict: true },
  { what: "an unshare of fds", call: "unshare", args: [0x400], plain: false, strict: false },
  {
    what: "a handle with O_TRUNC",
    call: "open_by_handle_at",
    args: [3, 0, 0o1002],
    plain: true,
    strict: true,
  },
  { what: "a handle without", call: "open_by_handle_at", args: [3, 0, 2], plain: false, strict: false },
  { what: "kexec_load", call: "kexec_load", args: [], plain: true, strict: true },
  { what: "io_uring_setup", call: "io_uring_setup", args: [], plain: true, strict: true },
  { what: "an extended attribute", call: "getxattrat", args: [], plain: true, strict: true },
  { what: "reboot", call: "reboot", args: [], plain: true, strict: true },
];

for (const [name, architecture] of Object.entries(ARCHITECTURES)) {
  for (const { what, call, args, plain, strict } of cases) {
    Deno.test(`${name}: ${what} is ${plain ? "served" : strict ? "served with --strict" : "not served"}`, () => {
      const nr = number(call, architecture);
      const served = (mode: boolean) => run(filter(mode, architecture), nr, architecture.audit, args);
      assert.equal(served(false), plain ? SECCOMP_RET_USER_NOTIF : SECCOMP_RET_ALLOW);
      assert.equal(served(true), strict ? SECCOMP_RET_USER_NOTIF : SECCOMP_RET_ALLOW);
    });
  }
}

Deno.test("calls of another architecture, and unknown calls, are not trapped", () => {
  assert.equal(run(filter("whole"), number("openat"), arm.audit, []), SECCOMP_RET_ALLOW);
  assert.equal(run(filter("whole"), 5000, x86.audit, []), SECCOMP_RET_ALLOW);
});
