import { kill } from "../../ffi/process.ts";
import { list_directory, read_text } from "../../ffi/proc.ts";
import { waitpid } from "../../ffi/tracee.ts";

const SIGKILL = 9;

/**
 * Waits for the guard of the machine, which is about to end, and kills what it left behind when it was killed itself: we are
 * the subreaper of them all, so whoever loses its parent becomes our child.
 */
export function killAll(): void {
  for (;;) {
    if (typeof waitpid(-1, 0) === "number") return;
    for (const pid of children()) kill(pid, SIGKILL);
  }
}

/** Of all our threads: whichever of them started it. */
function children(): number[] {
  return list_directory("/proc/self/task").flatMap((task) =>
    (read_text(`/proc/self/task/${task}/children`) ?? "").split(" ").filter((word) => word !== "").map(Number)
  );
}
