/**
 * A whole live update in one TypeScript program, on the software model of the kernel. It needs no agent, device or
 * permission.
 *
 *     deno run examples/library.ts
 *
 * On a host with LUO, use `linux()` in place of `machine.init()`; the part after the kexec is a program of its own.
 */
import {
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
  // The session must stay open until the kexec: closing it forgets its files.
  using session = device.create("example");
  using memfd = new Fd(sys, sys.memfd_create("state", 0));
  sys.write(memfd.number, new TextEncoder().encode(text));
  session.preserve(memfd, TOKEN);

  using image = new Fd(sys, sys.open("/boot/next", 0));
  loadImage(sys, { kernel: image, commandLine: "liveupdate=on kho=on" });
  exec(sys);
}

function after(sys: SystemCalls): void {
  console.log(`${sys.uname().release}: restoring`);
  using device = openDevice(sys);
  using session = device.retrieve("example");
  using memfd = session.restore(TOKEN);
  const bytes = new Uint8Array(4096);
  const length = sys.pread(memfd.number, bytes, 0n);
  const restored = new TextDecoder().decode(bytes.subarray(0, length));
  session.finish();
  if (restored !== text) throw new Error(`Restored ${JSON.stringify(restored)}`);
  console.log(restored);
}
