/** The status as people read it. */
import type { LastUpdate, Loss, SessionInfo, Status } from "../../lib/agent/protocol.ts";
import type { Systemd } from "../../lib/schema/answer_parts.ts";
import { hintsFor } from "../errors/hints.ts";
import { imageLine } from "./kexec_text.ts";
import { contents, keepLines, sessionTable, unlistedLine } from "./session_text.ts";
import { size } from "../base/size.ts";
import { count, type Paint, time, visible } from "../base/text.ts";
import { foundLines, rebootLines, storeRows } from "./store_text.ts";
import { systemdLines, systemdRows } from "./systemd_text.ts";
import { table } from "./table.ts";

/** The whole status on one screen. */
export function statusText(status: Status, paint: Paint, systemd?: Systemd): string {
  const { kernel, device, agent, image, sessions, unlisted, lastUpdate, values, losses, backend } = status;
  const model = backend === "model" ? " (a software model: nothing here is on the real kernel)" : "";
  const rows = [
    ["Kernel", `${kernel.release} ${kernel.machine}${model}`],
    ["Device", deviceLine(device)],
    ["Image", imageLine(image)],
    ["Agent", `pid ${agent.pid}, luo ${agent.version}, ${agent.socket}`],
  ];
  rows.push(...storeRows(agent), ...systemdRows(systemd));
  if (values !== undefined) rows.push(["Values", `${count(values.count, "key")}, ${size(values.bytes)}`]);
  if (lastUpdate !== undefined) rows.push(["Last update", updateLine(lastUpdate)]);
  if (agent.unrecorded !== undefined) rows.push(["Record", `not written: ${agent.unrecorded}`]);
  const lines = [table(rows)];
  if (losses.length > 0) lines.push(paint("red", lossLines(losses).join("\n")));
  if (sessions.some(isResized)) lines.push(paint("red", resizedLines(sessions).join("\n")));
  const problems = keepLines(sessions);
  if (problems.length > 0) lines.push(paint("red", problems.join("\n")));
  if (sessions.length > 0) lines.push(sessionTable(sessions));
  lines.push(...foundLines(sessions), ...rebootLines(status));
  if (unlisted !== undefined) lines.push(paint("red", unlistedLine(unlisted, sessions)));
  else if (sessions.length === 0) lines.push(noSessions(device));
  if (device.state !== "ready") lines.push(...deviceLines(device));
  if (systemd !== undefined) lines.push(...systemdLines(systemd, paint));
  return lines.join("\n");
}

/** The agent has not read what was handed over while another program has the device. */
function noSessions({ unread }: Status["device"]): string {
  return unread ? "Sessions unknown" : "No sessions";
}

/** `/dev/liveupdate busy (EBUSY), last tried 2026-01-01 12:00:00`. */
function deviceLine({ path, state, errno, seenAt }: Status["device"]): string {
  const what = `${path} ${state}${errno === undefined ? "" : ` (${errno})`}`;
  if (seenAt === undefined) return what;
  return `${what}, last ${errno === undefined ? "used" : "tried"} ${time(seenAt)}`;
}

/** A device that the agent cannot open, and what to do about it; nothing for one that it has opened. */
export function deviceLines(device: Status["device"]): string[] {
  const { path, errno } = device;
  if (errno === undefined) return [];
  const hints = hintsFor("open", errno).map((hint) => `  ${hint}`);
  return [`The agent cannot open ${path}: ${device.state} (${errno})`, ...hints];
}

function updateLine(
  { at, fromRelease, toRelease, sessions, files, bytes, count: number }: LastUpdate,
): string {
  const what = `${count(sessions, "session")}, ${count(files, "file")}, ${size(bytes)}`;
  return `${time(at)}: from ${fromRelease} to ${toRelease} with ${what} (${number} in a row)`;
}

function isResized({ files }: SessionInfo): boolean {
  return files.some(({ sizeNow }) => sizeNow !== undefined);
}

/** `Resized: file 7 of session "vm1", from 8192 to 4096 bytes since it was preserved`. */
function resizedLines(sessions: readonly SessionInfo[]): string[] {
  return sessions.flatMap(({ name, files }) =>
    files.filter(({ sizeNow }) => sizeNow !== undefined).map(({ token, size, sizeNow }) =>
      `Resized: file ${token} of session "${
        visible(name)
      }", from ${size} to ${sizeNow} bytes since it was preserved`
    )
  );
}

/** `Lost: session "vm1" (retrieved), 1 file, 200 MiB: the agent was killed`. */
export function lossLines(losses: readonly Loss[]): string[] {
  return losses.map((loss) =>
    `Lost: session "${visible(loss.session)}" (${loss.state}), ${contents(loss)}: ${visible(loss.reason)}, ${
      time(loss.at)
    }`
  );
}
