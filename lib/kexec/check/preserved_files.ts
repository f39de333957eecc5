/** The files that are preserved now, counted by the handler of the kernel that took them. */
import type { KindOfFile, SessionInfo } from "../../schema/types.ts";

export interface PreservedFiles {
  readonly bytes: number;
  readonly counts: Readonly<Record<KindOfFile | "unknown", number>>;
  /** Sessions with files that luo may not know: another program had the session's descriptor, or the list is incomplete. */
  readonly unlisted: readonly string[];
}

/** The files in outgoing sessions. A file that is only held by the agent is not handed over. */
export function preservedFiles(sessions: readonly SessionInfo[]): PreservedFiles {
  const counts = { memfd: 0, hugetlb: 0, unknown: 0 };
  const unlisted: string[] = [];
  let bytes = 0;
  for (const { name, state, opened, filesKnown, files } of sessions) {
    if (state !== "outgoing") continue;
    if (opened || filesKnown === false) unlisted.push(name);
    for (const { kind = "unknown", size, state } of files) {
      if (state === "held") continue;
      counts[kind]++;
      bytes += size;
    }
  }
  return { bytes, counts, unlisted };
}

export function fileCount(count: number): string {
  return count === 1 ? "1 file" : `${count} files`;
}
