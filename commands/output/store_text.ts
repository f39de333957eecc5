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

/**
 * What a plain reboot does while an image is loaded. systemctl makes a kexec of it, which only a fd store brings the sessions over, and
 * only into an image that luo has checked.
 */
export function rebootLines({ agent, image, sessions, backend }: Status): string[] {
  const goesOver = sessions.some(({ state }) => state === "outgoing");
  if (backend === "model" || !image.loaded || !goesOver) return [];
  if (agent.store === undefined) {
    return [
      "A plain reboot can lose the sessions, also into the loaded kernel; to take them along: luo kexec exec",
    ];
  }
  if (image.by !== "luo") {
    return [
      "systemctl reboot goes into an image that luo did not load, and can lose the sessions: luo kexec unload",
    ];
  }
  return [
    "systemctl reboot goes into the loaded kernel, with the sessions; a cold boot, which loses them: luo kexec unload",
  ];
}
