/** A freeze or a preserve that fails leaves everything as it was. */
import assert from "node:assert/strict";
import { Errno } from "../../ffi/abi/errno.ts";
import * as abi from "../../ffi/abi/fcntl.ts";
import { KEXEC_FILE_NO_INITRAMFS, LINUX_REBOOT_CMD_KEXEC } from "../../ffi/abi/kexec.ts";
import { MemoryDisk } from "../../lib/model/fs/disk.ts";
import { Machine } from "../../lib/model/machine.ts";
import { Fd } from "../../lib/fd.ts";
import { openDevice } from "../../lib/session.ts";
import { image } from "./image.ts";

Deno.test("a freeze that fails unfreezes sessions in reverse and files in order; nothing is lost", () => {
  const m = new Machine({ memory_bytes: 16 << 20, disk: new MemoryDisk({ "/k": image() }) });
  const calls: string[] = [];
  const names = new Map<object, string>();
  // This handler preserves pipes, which the memfd handler refuses.
  m.system.luo?.handlers.register({
    compatible: "pipe-test",
    can_preserve: (file) => file.link().startsWith("pipe:"),
    preserve(file) {
      names.set(file, String(names.size));
      return { data: 0n };
    },
    unpreserve: (file) => calls.push(`unpreserve ${names.get(file)}`),
    freeze(file) {
      calls.push(`freeze ${names.get(file)}`);
      return names.get(file) === "5" ? -Errno.EIO : 0;
    },
    unfreeze: (file) => calls.push(`unfreeze ${names.get(file)}`),
    retrieve: () => -Errno.EIO,
    finish: () => {},
  });
  const sys = m.init();
  const device = openDevice(sys);
  const sessions = ["a", "b", "c"].map((name) => device.create(name));
  for (const session of sessions) {
    for (const token of [1n, 2n]) {
      const pipe = sys.pipe2(0);
      assert.ok(typeof pipe === "object");
      session.preserve(new Fd(sys, pipe[0]), token);
    }
  }
  const fd = sys.open("/k", abi.O_RDONLY);
  const line = new TextEncoder().encode("liveupdate=on\0");
  sys.kexec_file_load(fd, -1, BigInt(line.length), line, BigInt(KEXEC_FILE_NO_INITRAMFS));
  assert.equal(sys.reboot(LINUX_REBOOT_CMD_KEXEC), -Errno.EIO);
  const frozen = ["freeze 0", "freeze 1", "freeze 2", "freeze 3", "freeze 4", "freeze 5"];
  assert.deepEqual(calls, [...frozen, "unfreeze 4", "unfreeze 2", "unfreeze 3", "unfreeze 0", "unfreeze 1"]);
  sessions[0]?.close();
  assert.deepEqual(calls.slice(-2), ["unpreserve 1", "unpreserve 0"]);
});

Deno.test("a sparse memfd larger than memory is refused and stays unchanged", () => {
  const m = new Machine({ memory_bytes: 4 << 20, disk: new MemoryDisk() });
  const sys = m.init();
  const fd = sys.memfd_create("large", abi.MFD_EXEC);
  const session = openDevice(sys).create("s");
  const free = m.ram.free_frames;
  sys.ftruncate(fd, 1n << 30n);
  assert.throws(() => session.preserve(new Fd(sys, fd), 1n), { errno: Errno.ENOMEM });
  assert.equal(m.ram.free_frames, free);
  assert.equal(sys.ftruncate(fd, 0n), 0);
});
