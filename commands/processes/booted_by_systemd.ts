/** Whether systemd is process 1 of the machine that luo works on. */
import { directoryExists } from "../../lib/agent/agent_place.ts";
import { inheritedEnvironment } from "../../lib/files/inherited_environment.ts";

/** sd_booted(3). */
const BOOTED = "/run/systemd/system";

/** False for a process of `luo emulate`, which finds the systemd of its host there: that is another machine. */
export function bootedBySystemd(directory = BOOTED): boolean {
  return directoryExists(directory) && !inheritedEnvironment().some((entry) => entry.startsWith("LUO_BOOT="));
}
