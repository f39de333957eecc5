/** Names of this host, for completion: kernels, processes and their memfds. */
import { readlink } from "../../ffi/file.ts";
import { list_directory, read_text } from "../../ffi/proc.ts";

/** A word to offer, and what it is. */
export type Candidate = readonly [word: string, meaning?: string];

/** The files of /boot with these beginnings. */
export function bootFiles(beginnings: readonly string[]): Candidate[] {
  return list_directory("/boot").filter((name) => beginnings.some((beginning) => name.startsWith(beginning)))
    .sort().map((name) => [`/boot/${name}`] as const);
}

export function processes(): Candidate[] {
  return list_directory("/proc").filter((name) => /^\d+$/.test(name))
    .map((pid) => [pid, read_text(`/proc/${pid}/comm`)?.trim()] as const);
}

/** The memfds of a process: these can be preserved. */
export function memfds(pid: string): Candidate[] {
  if (!/^\d+$/.test(pid)) return [];
  return list_directory(`/proc/${pid}/fd`).flatMap((fd): Candidate[] => {
    const file = readlink(`/proc/${pid}/fd/${fd}`);
    return typeof file === "string" && file.startsWith("/memfd:") ? [[fd, file.slice(1)]] : [];
  });
}

/** The executables of the directory of participants. */
export function participants(directory: string): Candidate[] {
  return list_directory(directory).filter((name) => !name.startsWith(".")).sort().map((name) =>
    [name] as const
  );
}
