/**
 * A whole live update in one TypeScript program, on the software model of the kernel. It needs no agent, device or
 * permission.
 *
 *     deno run examples/library.ts
 *
 * On a host with LUO, use `linux()` in place of `machine.init()`; the part after the kexec is a program of its own.
 */
import {
  check,
  exec,
  Fd,
  loadImage,
  Machine,
  MemoryDisk,
  openDevice,
  ProcessKilled,
  standInBzImage,
  type SystemCalls,
} from "../lib/luo.ts";

const TOKEN = 7n;
const text = "This memory belongs to nobody while the kernels change.";

const disk = new MemoryDisk({ "/boot/next": standInBzImage({ release: "7.3.5" }) });
const machine = new Machine({ release: "7.3.4", disk });
run(before);
run(after);

/** Runs a program as process 1 of the running kernel, to the end of the program or of the kernel. */
function run(program: (sys: SystemCalls) => void): void {
  try {
    program(machine.init());
  } catch (error) {
    if (!(error instanceof ProcessKilled)) throw error;
  }
}

function before(sys: SystemCalls): void {
  console.log(`${sys.uname().release}: preserving`);
  using device = openDevice(sys);
  // The session stays open until the kexec: closing it forgets its files.
  const session = device.create("example");
  using memfd = Fd.of(sys, sys.memfd_create("state", 0), "memfd_create");
  check(sys.write(memfd.number, new TextEncoder().encode(text)), "write", "the state");
  session.preserve(memfd, TOKEN);

  using image = Fd.of(sys, sys.open("/boot/next", 0), "open", "/boot/next");
  loadImage(sys, { kernel: image, commandLine: "liveupdate=on kho=on" });
  exec(sys);
}

function after(sys: SystemCalls): void {
  console.log(`${sys.uname().release}: restoring`);
  using device = openDevice(sys);
  // The session is finished when its data is in our hands, and not before.
  const restored = device.restoreAll("example", (session) => {
    using memfd = session.restore(TOKEN);
    const bytes = new Uint8Array(4096);
    const length = check(sys.pread(memfd.number, bytes, 0n), "pread", "the state");
    return new TextDecoder().decode(bytes.subarray(0, length));
  });
  if (restored !== text) throw new Error(`Restored ${JSON.stringify(restored)}`);
  console.log(restored);
}
