/** No object of a kernel outlives it. */
import assert from "node:assert/strict";
import v8 from "node:v8";
import vm from "node:vm";
import * as abi from "../../ffi/abi/fcntl.ts";
import { KEXEC_FILE_NO_INITRAMFS, LINUX_REBOOT_CMD_KEXEC } from "../../ffi/abi/kexec.ts";
import { ProcessKilled } from "../../lib/system_calls.ts";
import { MemoryDisk } from "../../lib/model/fs/disk.ts";
import { Machine } from "../../lib/model/machine.ts";
import { Fd } from "../../lib/fd.ts";
import { openDevice } from "../../lib/session.ts";
import { image } from "./image.ts";

/** Every object that can be reached from `root` by a public property, a Map, a Set or an array. */
function reachable(root: object, hardware: ReadonlySet<object>): Set<object> {
  const seen = new Set<object>();
  const todo: unknown[] = [root];
  while (todo.length > 0) {
    const next = todo.pop();
    if (typeof next !== "object" || next === null || seen.has(next) || hardware.has(next)) continue;
    seen.add(next);
    if (next instanceof Map) todo.push(...next.keys(), ...next.values());
    else if (next instanceof Set) todo.push(...next);
    else if (!ArrayBuffer.isView(next)) {
      todo.push(...Reflect.ownKeys(next).map((key) => Reflect.get(next, key)));
    }
  }
  return seen;
}

/** The instances of classes that make up a kernel. Tables of functions are left out: all kernels share them. */
function state(m: Machine): object[] {
  const { hardware } = m.system;
  const parts: object[] = [hardware, ...Object.values(hardware).filter((part) => typeof part === "object")];
  const objects = [...reachable(m.system, new Set(parts))];
  return objects.filter((object) => Object.getPrototypeOf(object) !== Object.prototype);
}

/**
 * Runs one boot with a session, files, mappings and other processes, up to a kexec. Returns weak references to all its
 * objects.
 */
function one_boot(m: Machine): WeakRef<object>[] {
  const sys = m.init();
  const session = openDevice(sys).create("vm");
  const fd = sys.memfd_create("data", abi.MFD_EXEC);
  sys.write(fd, new Uint8Array(10_000).fill(1));
  session.preserve(new Fd(sys, fd), 1n);
  sys.mmap(4096n, abi.PROT_READ, abi.MAP_SHARED, fd, 0n);
  const pair = sys.socketpair();
  assert.ok(typeof pair === "object");
  sys.sendmsg(pair[0], new Uint8Array(1), [session.fd.number]);
  sys.pidfd_open(m.spawn().getpid(), 0);
  const line = new TextEncoder().encode("liveupdate=on\0");
  const image_fd = sys.open("/k", abi.O_RDONLY);
  sys.kexec_file_load(image_fd, -1, BigInt(line.length), line, BigInt(KEXEC_FILE_NO_INITRAMFS));
  const old = state(m).map((object) => new WeakRef(object));
  assert.throws(() => sys.reboot(LINUX_REBOOT_CMD_KEXEC), ProcessKilled);
  return old;
}

/**
 * The garbage collector decides: it also follows private fields and closures, which a walk over properties does not
 * see.
 */
Deno.test("nothing of the old kernel is reachable once the next one runs", async () => {
  v8.setFlagsFromString("--expose-gc");
  const gc: () => void = vm.runInNewContext("gc");
  const m = new Machine({ memory_bytes: 16 << 20, disk: new MemoryDisk({ "/k": image() }) });
  const old = one_boot(m);
  assert.ok(old.length > 10);
  const session = openDevice(m.init()).retrieve("vm");
  session.restore(1n);
  // A WeakRef keeps its target alive until the end of the turn that created it.
  await new Promise((resolve) => setTimeout(resolve, 0));
  gc();
  assert.deepEqual(
    old.map((weak) => weak.deref()?.constructor.name).filter((name) => name !== undefined),
    [],
  );
  assert.ok(m.init().getpid() > 0);
});
