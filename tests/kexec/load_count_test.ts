/** lib/kexec/load_count.ts: the kernel's count of loads, on the model. */
import assert from "node:assert/strict";
import { O_WRONLY } from "../../ffi/abi/fcntl.ts";
import { loadsLeft } from "../../lib/kexec/load_count.ts";
import { unloadImage } from "../../lib/luo.ts";
import { Machine } from "../../lib/testing.ts";

const INT_MAX = 2 ** 31 - 1;

Deno.test("the kernel begins to count with the first question, and counts each call", () => {
  const sys = new Machine({ release: "7.3.4" }).init();
  assert.equal(loadsLeft(sys), INT_MAX);
  assert.equal(loadsLeft(sys), INT_MAX);
  unloadImage(sys);
  assert.equal(loadsLeft(sys), INT_MAX - 1);
});

Deno.test("a limit that an operator has set stays", () => {
  const sys = new Machine({ release: "7.3.4" }).init();
  const fd = sys.open("/proc/sys/kernel/kexec_load_limit_reboot", O_WRONLY);
  sys.write(fd, new TextEncoder().encode("2\n"));
  assert.equal(loadsLeft(sys), 2);
  unloadImage(sys);
  unloadImage(sys);
  assert.equal(loadsLeft(sys), 0);
  assert.throws(() => unloadImage(sys), /EPERM/);
  assert.equal(loadsLeft(sys), 0);
});
