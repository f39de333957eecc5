import assert from "node:assert/strict";
import {
  exec,
  Fd,
  imageLoaded,
  type Kernel,
  loadImage,
  LuoError,
  Machine,
  MemoryDisk,
  ProcessKilled,
  standInBzImage,
  unloadImage,
} from "../../lib/luo.ts";

const FILES = { "/boot/next": standInBzImage({ release: "7.3.5" }), "/etc/passwd": new Uint8Array(4096) };

function machine(): Machine {
  return new Machine({ release: "7.3.4", disk: new MemoryDisk(FILES) });
}

function load(kernel: Kernel, path: string, commandLine = "liveupdate=on"): void {
  using image = new Fd(kernel, kernel.open(path, 0));
  loadImage(kernel, { kernel: image, commandLine });
}

/** `kexec load ENOEXEC`. */
function failure(run: () => void): string {
  try {
    run();
  } catch (error) {
    if (error instanceof LuoError) return `${error.operation} ${error.code}`;
    throw error;
  }
  return "done";
}

Deno.test("loaded, shown, unloaded, unloaded again", () => {
  const kernel = machine().init();
  assert.equal(imageLoaded(kernel), false);
  load(kernel, "/boot/next");
  assert.equal(imageLoaded(kernel), true);
  unloadImage(kernel);
  assert.equal(imageLoaded(kernel), false);
  unloadImage(kernel);
});

Deno.test("a load that fails keeps the image loaded before", () => {
  const kernel = machine().init();
  load(kernel, "/boot/next");
  assert.equal(failure(() => load(kernel, "/etc/passwd")), "kexec load ENOEXEC");
  assert.equal(failure(() => load(kernel, "/boot/next", "x".repeat(2017))), "kexec load EINVAL");
  assert.equal(imageLoaded(kernel), true);
});

Deno.test("an initrd that is no file is refused", () => {
  const kernel = machine().init();
  using image = new Fd(kernel, kernel.open("/boot/next", 0));
  const wrong = () => loadImage(kernel, { kernel: image, initrd: 99, commandLine: "" });
  assert.equal(failure(wrong), "kexec load EBADF");
});

Deno.test("exec without an image is EINVAL, with one the process is gone and the next kernel runs", () => {
  const hardware = machine();
  const kernel = hardware.init();
  assert.equal(failure(() => exec(kernel)), "kexec exec EINVAL");
  load(kernel, "/boot/next");
  assert.throws(() => exec(kernel), ProcessKilled);
  assert.throws(() => kernel.getpid(), ProcessKilled);
  assert.equal(hardware.init().uname().release, "7.3.5");
});
