/** A live update of many sessions and files. */
import assert from "node:assert/strict";
import * as abi from "../../ffi/abi/fcntl.ts";
import { KEXEC_FILE_NO_INITRAMFS, LINUX_REBOOT_CMD_KEXEC } from "../../ffi/abi/kexec.ts";
import { ProcessKilled } from "../../lib/system_calls.ts";
import { MemoryDisk } from "../../lib/model/fs/disk.ts";
import { Machine } from "../../lib/model/machine.ts";
import { Fd } from "../../lib/fd.ts";
import { openDevice } from "../../lib/session.ts";
import { image } from "./image.ts";

/** A live update of `sessions` sessions with 10 files of a page each. */
function live_update(sessions: number): void {
  const m = new Machine({ memory_bytes: 2 ** 32, disk: new MemoryDisk({ "/k": image() }) });
  const sys = m.init();
  const device = openDevice(sys);
  for (let i = 0; i < sessions; i++) {
    const session = device.create(`s${i}`);
    for (let token = 0n; token < 10n; token++) {
      const fd = sys.memfd_create("f", abi.MFD_EXEC);
      sys.write(fd, new Uint8Array([i]));
      session.preserve(new Fd(sys, fd), token);
      sys.close(fd);
    }
  }
  const fd = sys.open("/k", abi.O_RDONLY);
  const line = new TextEncoder().encode("liveupdate=on\0");
  sys.kexec_file_load(fd, -1, BigInt(line.length), line, BigInt(KEXEC_FILE_NO_INITRAMFS));
  assert.throws(() => sys.reboot(LINUX_REBOOT_CMD_KEXEC), ProcessKilled);
  const next = openDevice(m.init());
  for (let i = 0; i < sessions; i++) {
    const session = next.retrieve(`s${i}`);
    for (let token = 0n; token < 10n; token++) session.restore(token).close();
    session.fd.close();
  }
  // KHO's tree, its metadata, and LUO's page of FLBs are never freed.
  assert.equal(m.ram.used_frames, m.system.own_frames + 3);
}

Deno.test("2,000 sessions with 20,000 files survive, and leak nothing", () => {
  live_update(2000);
});
