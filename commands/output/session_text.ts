/** Sessions and their files as people read them. */
import type { FileInfo, SessionInfo } from "../../lib/agent/protocol.ts";
import { size } from "../base/size.ts";
import { count, operand, shortDigest, time, visible } from "../base/text.ts";
import { table } from "./table.ts";

/** Files as far as the agent knows them: of a session or of a loss. */
export interface Contents {
  readonly files: readonly { readonly size: number }[];
  /** False: there may be files that are not listed. */
  readonly filesKnown?: boolean;
}

/** `Not kept: session "vm1" is retrieved: REASON`, and the files whose contents are not those of their digests. */
export function keepLines(sessions: readonly SessionInfo[]): string[] {
  return sessions.flatMap(({ name, state, keepProblem, files }) => [
    ...keepProblem === undefined ? [] : [
      `Not kept: session "${visible(name)}" (${state}), ${visible(keepProblem)}: luo session keep ${
        operand(name)
      }`,
    ],
    ...files.filter(({ verdict }) => verdict === "changed" || verdict === "damaged").map((
      { token, verdict },
    ) => `File ${token} of session "${visible(name)}" does not have its digest: ${verdict}`),
  ]);
}

/** `1 file, 200 MiB`, `files unknown`, or `files unknown, seen: 1 file, 200 MiB`. */
export function contents({ files, filesKnown }: Contents): string {
  const listed = `${count(files.length, "file")}, ${size(bytes(files))}`;
  if (filesKnown === false) return files.length === 0 ? "files unknown" : `files unknown, seen: ${listed}`;
  return files.length === 0 ? "no files" : listed;
}

export function sessionTable(sessions: readonly SessionInfo[]): string {
  return table([
    ["SESSION", "STATE", "FILES", "SIZE", "CREATED"],
    ...sessions.map(({ name, state, keep, files, filesKnown, createdAt }) => [
      name,
      keep ? `${state}, kept` : state,
      ...(filesKnown === false ? seen(files) : [String(files.length), size(bytes(files))]),
      filesKnown === false ? "unknown" : time(createdAt),
    ]),
  ]);
}

/** The columns FILES and SIZE of a session whose list of files may be incomplete. */
function seen(files: Contents["files"]): [string, string] {
  return files.length === 0 ? ["unknown", "unknown"] : [`${files.length}+`, `${size(bytes(files))}+`];
}

function bytes(files: Contents["files"]): number {
  return files.reduce((sum, { size }) => sum + size, 0);
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

/** `Sessions unknown: REASON`, or `More sessions may wait: REASON` after those that are listed. */
export function unlistedLine(reason: string, listed: readonly SessionInfo[]): string {
  return `${listed.length === 0 ? "Sessions unknown" : "More sessions may wait"}: ${visible(reason)}`;
}

/** `Session "vm1" is outgoing: 1 file, 200 MiB`. */
export function sessionLine(session: SessionInfo): string {
  const kept = session.keep ? " and kept" : "";
  return `Session "${visible(session.name)}" is ${session.state}${kept}: ${contents(session)}`;
}
