/** Connects as another user, for tests: the kernel notes the effective user and the groups of the connecting process. */
import assert from "node:assert/strict";

/** The users and groups of a process. */
export interface User {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
}

/** Whether this process may take other users on. */
export const MAY_SWITCH = Deno.uid() === 0;

/** Does the work with another effective user. glibc changes it for all threads, so the work must be short and synchronous. */
export function asUser<T>({ uid, gid, groups }: User, work: () => T): T {
  const libc = Deno.dlopen("libc.so.6", {
    getgroups: { parameters: ["i32", "buffer"], result: "i32" },
    setgroups: { parameters: ["usize", "buffer"], result: "i32" },
    setegid: { parameters: ["u32"], result: "i32" },
    seteuid: { parameters: ["u32"], result: "i32" },
  });
  const { getgroups, setgroups, setegid, seteuid } = libc.symbols;
  const before = new Uint32Array(1024);
  const count = getgroups(before.length, before);
  try {
    assert.equal(setgroups(BigInt(groups.length), Uint32Array.from(groups)), 0);
    assert.equal(setegid(gid), 0);
    assert.equal(seteuid(uid), 0);
    return work();
  } finally {
    assert.equal(seteuid(0), 0);
    assert.equal(setegid(0), 0);
    assert.equal(setgroups(BigInt(Math.max(0, count)), before), 0);
    libc.close();
  }
}
