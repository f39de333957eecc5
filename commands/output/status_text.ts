import type { LastUpdate, Loss, Status } from "../../lib/agent/protocol.ts";
import { imageLine } from "./kexec_text.ts";
import { contents, sessionTable } from "./session_text.ts";
import { count, type Paint, size, table, time, visible } from "../base/text.ts";

/** The whole status on one screen. */
export function statusText(status: Status, paint: Paint): string {
  const { kernel, device, agent, image, sessions, lastUpdate, losses, backend } = status;
  const model = backend === "model" ? " (a software model: nothing here is on the real kernel)" : "";
  const rows = [
    ["Kernel", `${kernel.release} ${kernel.machine}${model}`],
    ["Device", `${device.path} ${deviceState(device)}`],
    ["Image", imageLine(image)],
    ["Agent", `pid ${agent.pid}, luo ${agent.version}, ${agent.socket}`],
  ];
  if (lastUpdate !== undefined) rows.push(["Last update", updateLine(lastUpdate)]);
  const lines = [table(rows)];
  if (losses.length > 0) lines.push(paint("red", lossLines(losses).join("\n")));
  lines.push(sessions.length === 0 ? "No sessions" : sessionTable(sessions));
  return lines.join("\n");
}

function deviceState({ state, errno }: Status["device"]): string {
  return errno === undefined ? state : `${state} (${errno})`;
}

function updateLine(
  { at, fromRelease, toRelease, sessions, files, bytes, count: number }: LastUpdate,
): string {
  const what = `${count(sessions, "session")}, ${count(files, "file")}, ${size(bytes)}`;
  return `${time(at)}: from ${fromRelease} to ${toRelease} with ${what} (${number} in a row)`;
}

/** `Lost: session "vm1" (retrieved), 1 file, 200 MiB: the agent was killed`. */
export function lossLines(losses: readonly Loss[]): string[] {
  return losses.map((loss) =>
    `Lost: session "${visible(loss.session)}" (${loss.state}), ${contents(loss)}: ${visible(loss.reason)}, ${
      time(loss.at)
    }`
  );
}
