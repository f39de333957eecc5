/** Participants that outlived the agent that called them: nothing waits for their answer any more. */
import { kill } from "../../../ffi/process.ts";
import { read_text } from "../../../ffi/proc.ts";
import type { UpdateRecord } from "../../schema/types.ts";

const SIGKILL = 9;

/** Kills them with everything that they started, before the next agent calls the same participants. */
export function stopOrphans({ id, events }: UpdateRecord): void {
  for (const { pid, ended } of events) {
    // The number may belong to another process by now.
    if (pid !== undefined && ended === undefined && isOf(pid, id)) kill(-pid, SIGKILL);
  }
}

function isOf(pid: number, update: string): boolean {
  const environment = read_text(`/proc/${pid}/environ`) ?? "";
  return environment.split("\0").includes(`LUO_UPDATE=${update}`);
}
