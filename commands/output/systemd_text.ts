/** systemd in the status: its count of kexecs, and the fd stores of all units. */
import type { Systemd, SystemdStore } from "../../lib/schema/answer_parts.ts";
import { count, type Paint, visible } from "../base/text.ts";
import { table } from "./table.ts";

/** `262-1, 1 kexec in a row`. */
export function systemdRows(systemd: Systemd | undefined): string[][] {
  if (systemd === undefined) return [];
  const { version = "of an unknown version", kexecCount } = systemd;
  const kexecs = kexecCount === undefined ? "kexecs unknown" : `${count(kexecCount, "kexec")} in a row`;
  return [["systemd", `${version}, ${kexecs}`]];
}

/** The stores, the sessions that none has, and what is unknown. */
export function systemdLines({ stores = [], missing = [], unknown }: Systemd, paint: Paint): string[] {
  const lines: string[] = [];
  const rows = stores.flatMap(storeRows);
  if (rows.length > 0) lines.push(table([["UNIT", "IN ITS FD STORE", "HOLDS", "PRESERVE"], ...rows]));
  const gone = missing.map((name) =>
    `Not in systemd's fd store: session "${visible(name)}". It ends with the agent`
  );
  if (gone.length > 0) lines.push(paint("red", gone.join("\n")));
  return [...lines, ...unknown.map((sentence) => `Unknown: ${visible(sentence)}`)];
}

/** A row for each session and memfd; sockets and other files of a service are only counted. */
function storeRows({ unit, preserve: how, entries }: SystemdStore): string[][] {
  const preserve = how ?? "unknown";
  if (entries === undefined) return [[unit, "unknown", "unknown", preserve]];
  const rows = entries.filter(({ kind }) => kind !== "other").map(({ name, kind, session }) => {
    const holds = kind === "memfd" ? "a memfd" : session === undefined ? "a session" : `session "${session}"`;
    return [unit, name, holds, preserve];
  });
  const others = entries.length - rows.length;
  if (others > 0) rows.push([unit, "-", count(others, "other file"), preserve]);
  return rows;
}
