/** lib/kexec/load.ts: loads, unloads and executes an image, on the model. */
import assert from "node:assert/strict";
import {
  exec,
  Fd,
  imageLoaded,
  loadImage,
  LuoError,
  ProcessKilled,
  type SystemCalls,
  unloadImage,
} from "../../lib/luo.ts";
import { Machine, MemoryDisk, standInBzImage } from "../../lib/testing.ts";

const FILES = { "/boot/next": standInBzImage({ release: "7.3.5" }), "/etc/passwd": new Uint8Array(4096) };

function machine(): Machine {
  return new Machine({ release: "7.3.4", disk: new MemoryDisk(FILES) });
}

function load(sys: SystemCalls, path: string, commandLine = "liveupdate=on"): void {
  using image = new Fd(sys, sys.open(path, 0));
  loadImage(sys, { kernel: image, commandLine });
}

/** `kexec load ENOEXEC`, or `done`. */
function failure(run: () => void): string {
  try {
    run();
  } catch (error) {
    if (error instanceof LuoError) return `${error.operation} ${error.code}`;
    throw error;
  }
  return "done";
}

Deno.test("an image is loaded and unloaded; another unload does nothing", () => {
  const sys = machine().init();
  assert.equal(imageLoaded(sys), false);
  load(sys, "/boot/next");
  assert.equal(imageLoaded(sys), true);
  unloadImage(sys);
  assert.equal(imageLoaded(sys), false);
  unloadImage(sys);
});

Deno.test("a load that fails keeps the image loaded before", () => {
  const sys = machine().init();
  load(sys, "/boot/next");
  assert.equal(failure(() => load(sys, "/etc/passwd")), "kexec load ENOEXEC");
  assert.equal(failure(() => load(sys, "/boot/next", "x".repeat(2017))), "kexec load EINVAL");
  assert.equal(imageLoaded(sys), true);
});

Deno.test("a closed fd for the initrd is EBADF", () => {
  const sys = machine().init();
  using image = new Fd(sys, sys.open("/boot/next", 0));
  const wrong = () => loadImage(sys, { kernel: image, initrd: new Fd(sys, 99), commandLine: "" });
  assert.equal(failure(wrong), "kexec load EBADF");
});

Deno.test("exec without an image is EINVAL; with one the process ends and the next kernel runs", () => {
  const hardware = machine();
  const sys = hardware.init();
  assert.equal(failure(() => exec(sys)), "kexec exec EINVAL");
  load(sys, "/boot/next");
  assert.throws(() => exec(sys), ProcessKilled);
  assert.throws(() => sys.getpid(), ProcessKilled);
  assert.equal(hardware.init().uname().release, "7.3.5");
});
