/** systemd's fd store in the status: how full it is, and the sessions that were not as they should be at the agent's start. */
import type { SessionInfo, Status } from "../../lib/agent/protocol.ts";
import { visible } from "../base/text.ts";

/** `systemd's fd store, 3 of 4096 entries`. */
export function storeRows({ store }: Status["agent"]): string[][] {
  return store === undefined ? [] : [["Store", `systemd's fd store, ${store.used} of ${store.room} entries`]];
}

const FOUND: Readonly<Partial<Record<NonNullable<SessionInfo["found"]>, string>>> = {
  orphaned: "luo's list names it and systemd did not bring it: it waits in the kernel",
  unknown: "it was in systemd's fd store, and no list of luo's names it",
};

/** `Orphaned: session "vm1": luo's list names it ...`. */
export function foundLines(sessions: readonly SessionInfo[]): string[] {
  return sessions.flatMap(({ name, found }) => {
    const what = found && FOUND[found];
    if (found === undefined || what === undefined) return [];
    return [`${found === "orphaned" ? "Orphaned" : "Unknown"}: session "${visible(name)}": ${what}`];
  });
}

/** systemctl reboot makes a kexec when an image is loaded. */
export function rebootLines({ agent, image, sessions }: Status): string[] {
  const goesOver = sessions.some(({ state }) => state === "outgoing");
  if (agent.store === undefined || !image.loaded || !goesOver) return [];
  return [
    "systemctl reboot goes into the loaded kernel by kexec, with the sessions; for a cold boot, which loses them: luo kexec unload",
  ];
}
