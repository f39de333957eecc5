import type { FileInfo, SessionInfo } from "../../lib/agent/protocol.ts";
import { count, shortDigest, size, table, time, visible } from "../base/text.ts";

/** `1 file, 200 MiB`. */
export function contents(files: readonly { size: number }[]): string {
  if (files.length === 0) return "no files";
  return `${count(files.length, "file")}, ${size(files.reduce((sum, file) => sum + file.size, 0))}`;
}

export function sessionTable(sessions: readonly SessionInfo[]): string {
  return table([
    ["SESSION", "STATE", "FILES", "SIZE", "CREATED"],
    ...sessions.map(({ name, state, files, createdAt }) => [
      name,
      state,
      String(files.length),
      size(files.reduce((sum, file) => sum + file.size, 0)),
      time(createdAt),
    ]),
  ]);
}

export function fileTable(files: readonly FileInfo[]): string {
  return table([
    ["TOKEN", "SIZE", "STATE", "DIGEST", "LABEL"],
    ...files.map((file) => [
      file.token,
      size(file.size),
      file.state,
      shortDigest(file.digest),
      file.label ?? "",
    ]),
  ]);
}

/** `Session "vm1" is outgoing: 1 file, 200 MiB`. */
export function sessionLine({ name, state, files }: SessionInfo): string {
  return `Session "${visible(name)}" is ${state}: ${contents(files)}`;
}
