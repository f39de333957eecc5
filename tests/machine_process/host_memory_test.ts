/** A machine without memory, and the files of the host: a preserve fails, or the file is there with all its contents after the kexec. */
import assert from "node:assert/strict";
import { MFD_ALLOW_SEALING, MFD_CLOEXEC } from "../../ffi/abi/fcntl.ts";
import { memfd_create, write } from "../../ffi/file.ts";
import { Fd } from "../../lib/fd.ts";
import { LinuxHost } from "../../lib/machine_process/linux_host.ts";
import { parse_faults } from "../../lib/model/faults/fault_spec.ts";
import { Machine } from "../../lib/model/machine.ts";
import { openDevice } from "../../lib/session.ts";
import { kexec } from "../agent/state_on_model.ts";

const CONTENT = new Uint8Array(9000).map((_, index) => index * 31 + 1);

/** Whether the file was preserved. */
function preserves(machine: Machine): boolean {
  const sys = machine.init();
  const mine = memfd_create("host", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  write(mine, CONTENT);
  try {
    using device = openDevice(sys);
    const session = device.create("s");
    session.preserve(new Fd(sys, sys.adopt(mine)), 1n);
    return true;
  } catch {
    return false;
  }
}

Deno.test("no allocation that fails costs a preserved file of the host its contents", () => {
  let failed = 0;
  for (let nth = 1; nth <= 12; nth++) {
    const host = new LinuxHost();
    const machine = new Machine({ host, faults: parse_faults(""), on_reset: () => host.closeAll() });
    const fault = machine.inject(parse_faults(`alloc@${nth}=ENOMEM`));
    const preserved = preserves(machine);
    fault[Symbol.dispose]();
    failed += preserved ? 0 : 1;
    if (preserved) {
      kexec(machine);
      using device = openDevice(machine.init());
      using restored = device.retrieve("s").restore(1n);
      const found = new Uint8Array(CONTENT.length + 1);
      assert.equal(machine.init().pread(restored.number, found, 0n), CONTENT.length, `allocation ${nth}`);
      assert.deepEqual(found.subarray(0, CONTENT.length), CONTENT, `allocation ${nth}`);
    }
    host.closeAll();
  }
  assert.ok(failed > 2 && failed < 12, `${failed} of 12 preserves failed`);
});
