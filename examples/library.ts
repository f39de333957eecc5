/**
 * A whole live update in one TypeScript program, on the software model of the kernel. It needs no agent, device or
 * permission.
 *
 *     deno run examples/library.ts
 *
 * On a host with LUO, use `linux()` in place of the machine; the part after the kexec is a program of its own.
 */
import {
  check,
  exec,
  Fd,
  loadImage,
  LuoError,
  openDevice,
  SessionHolder,
  type SystemCalls,
} from "../lib/luo.ts";
import { Machine, MemoryDisk, standInBzImage } from "../lib/testing.ts";

const SESSION = "example";
const TOKEN = 7n;
const TEXT = "This memory belongs to no process while the kernels change.";

const disk = new MemoryDisk({ "/boot/next": standInBzImage({ release: "7.3.5" }) });
const machine = new Machine({ release: "7.3.4", disk });
machine.run(before);
machine.run(after);

function before(sys: SystemCalls): void {
  console.log(`${sys.uname().release}: preserving`);
  // The holder keeps the session open until the kexec: closing it would forget its files.
  const holder = new SessionHolder();
  {
    using device = openDevice(sys);
    using state = Fd.of(sys, sys.memfd_create("state", 0), "memfd_create");
    check(sys.write(state.number, new TextEncoder().encode(TEXT)), "write", "the state");
    holder.preserveAll(device, SESSION, [[TOKEN, state]]);
  }
  using image = Fd.of(sys, sys.open("/boot/next", 0), "open", "/boot/next");
  loadImage(sys, { kernel: image, commandLine: "liveupdate=on kho=on" });
  exec(sys);
}

function after(sys: SystemCalls): void {
  console.log(`${sys.uname().release}: restoring`);
  const restored = load(sys);
  // The program knows that it handed something over; a session that is not there is a loss, and no first start.
  if (restored !== TEXT) throw new Error(`Restored ${JSON.stringify(restored)}`);
  console.log(restored);
}

/** The text of the previous kernel; undefined when that handed over no session. */
function load(sys: SystemCalls): string | undefined {
  using device = openDevice(sys);
  try {
    // The session is finished when the callback has returned, and not when it has failed.
    return device.restoreAll(SESSION, (session) => {
      using state = session.restore(TOKEN);
      const bytes = new Uint8Array(4096);
      const length = check(sys.pread(state.number, bytes, 0n), "pread", "the state");
      return new TextDecoder().decode(bytes.subarray(0, length));
    });
  } catch (error) {
    if (error instanceof LuoError && error.operation === "retrieve" && error.is("ENOENT")) return undefined;
    throw error;
  }
}
