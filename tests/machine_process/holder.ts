/** A process that holds a session with a file of the host and waits to be killed: `holder.ts SOCKET NAME`. */
import { MFD_ALLOW_SEALING, MFD_CLOEXEC } from "../../ffi/abi/fcntl.ts";
import { memfd_create, write } from "../../ffi/file.ts";
import { connectMachine } from "../../lib/machine_process/serve_machine.ts";
import { Fd } from "../../lib/fd.ts";
import { openDevice } from "../../lib/session.ts";

const [path = "", name = ""] = Deno.args;
const sys = connectMachine(path);
const session = openDevice(sys).create(name);
const fd = memfd_create("held", MFD_CLOEXEC | MFD_ALLOW_SEALING);
write(fd, new Uint8Array(10_000));
session.preserve(new Fd(sys, sys.adopt(fd)), 1n);
console.log("holding");
for await (const _ of Deno.stdin.readable);
