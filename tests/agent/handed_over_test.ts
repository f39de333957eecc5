/** An agent finds out by itself whether a live update started its kernel: from debugfs, or from the kernel's log. */
import assert from "node:assert/strict";
import { wasHandedOver } from "../../lib/agent/handed_over.ts";
import { Machine } from "../../lib/model/machine.ts";
import { kexec } from "./state_on_model.ts";

const READERS = [["root reads debugfs", 0], ["another user reads the log only", 1000]] as const;

for (const [name, uid] of READERS) {
  Deno.test(`a kernel that a live update started is told from a cold boot: ${name}`, () => {
    const machine = new Machine();
    assert.equal(wasHandedOver(machine.spawn({ uid })), false);
    kexec(machine);
    assert.equal(wasHandedOver(machine.spawn({ uid })), true);
  });
}
