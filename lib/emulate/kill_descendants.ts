/** Kills the processes of a machine that its guard has left, and waits for all of them. */
import { kill } from "../../ffi/process.ts";
import { list_directory, read_text } from "../../ffi/proc.ts";
import { waitpid } from "../../ffi/tracee.ts";

const SIGKILL = 9;

/**
 * Waits for the guard, which ends by itself. When the guard was killed, its processes remain: they are children of this process, the
 * subreaper, and are killed here.
 */
export function killAll(): void {
  for (;;) {
    if (typeof waitpid(-1, 0) === "number") return;
    for (const pid of children()) kill(pid, SIGKILL);
  }
}

/** The children that any thread of this process started. */
function children(): number[] {
  return list_directory("/proc/self/task").flatMap((task) =>
    (read_text(`/proc/self/task/${task}/children`) ?? "").split(" ").filter((word) => word !== "").map(Number)
  );
}
