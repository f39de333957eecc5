/**
 * A process with its state in a memfd. It writes its process id and the descriptor into a file and waits to be killed.
 *
 *     deno run --allow-ffi --allow-write=FILE examples/memfd_holder.ts TEXT FILE
 */
import { linux } from "../lib/luo.ts";

const MFD_CLOEXEC = 1;
const MFD_ALLOW_SEALING = 2;

const [state, file] = Deno.args;
if (state === undefined || file === undefined) {
  console.error("Usage: memfd_holder.ts TEXT FILE");
  Deno.exit(2);
}
using sys = linux();
const fd = sys.memfd_create("state", MFD_CLOEXEC | MFD_ALLOW_SEALING);
const text = new TextEncoder().encode(state);
if (fd < 0 || sys.write(fd, text) !== text.length) throw new Error("Cannot make a memfd");
// A restored file keeps its position: the next reader must begin at the start.
sys.lseek(fd, 0n, 0);
Deno.writeTextFileSync(file, `${sys.getpid()} ${fd}\n`);
setInterval(() => {}, 1 << 30);
