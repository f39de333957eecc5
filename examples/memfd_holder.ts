/**
 * A process with its state in a memfd. Prints its process id and the descriptor, then waits to be killed.
 *
 *     deno run --allow-ffi examples/memfd_holder.ts TEXT
 */
import { linux } from "../lib/luo.ts";

const MFD_CLOEXEC = 1;
const MFD_ALLOW_SEALING = 2;

using kernel = linux();
const fd = kernel.memfd_create("state", MFD_CLOEXEC | MFD_ALLOW_SEALING);
const text = new TextEncoder().encode(Deno.args[0] ?? "state");
if (fd < 0 || kernel.write(fd, text) !== text.length) throw new Error("Cannot make a memfd");
// Restored files keep their position: the next reader is to begin at the start.
kernel.lseek(fd, 0n, 0);
console.log(kernel.getpid(), fd);
setInterval(() => {}, 1 << 30);
