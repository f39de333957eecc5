/** The words for every problem with a file (`lib/files/file_problem.ts`): the message, the hints, and what scripts branch on. */
import type { FileProblem, FileProblemCode, FileProblems } from "../../lib/files/file_problem.ts";
import type { FailureKind } from "./failure.ts";

export interface FileWords {
  /** `file-error` when left out. */
  readonly kind?: FailureKind;
  readonly message: string;
  /** The errno that the kernel would have answered. */
  readonly errno?: string;
  readonly hints?: readonly string[];
}

type Table = { readonly [Code in FileProblemCode]: (fields: FileProblems[Code]) => FileWords };

const quoted = (path: string) => `"${path}"`;
const mebibytes = (bytes: bigint) => `${bytes >> 20n} MiB`;
const TRY_AGAIN = ["nothing was preserved: try again when no program writes to it"];

export const FILE_WORDS: Table = {
  "system-file": ({ path }) => ({
    kind: "unavailable",
    message: path.startsWith("/proc/")
      ? `Cannot read ${quoted(path)}: /proc is not mounted`
      : `Cannot open ${quoted(path)}: there is no such device`,
    hints: [
      path.startsWith("/proc/")
        ? "mount it: mount -t proc proc /proc"
        : "mount the devices: mount -t devtmpfs devtmpfs /dev",
    ],
  }),
  "no-handler": ({ file, why }) => ({
    message: `Cannot preserve ${file}: no handler takes ${
      why === "huge pages"
        ? "a memfd of huge pages"
        : why === "a name"
        ? "a tmpfs file that still has a name"
        : "this file"
    } (ENOENT)`,
    errno: "ENOENT",
    hints: why === "a name" ? ["remove its last name and keep it open, or copy it with --from FILE"] : [
      "only memfds and unlinked tmpfs files can be preserved" +
      (why === "huge pages" ? ", of pages of the usual size" : "") +
      ": copy the file with --from FILE",
      ...why === "huge pages" ? ["FILE can be /proc/PID/fd/N"] : [],
    ],
  }),
  "source-kind": ({ file, kind }) => ({
    message: `Cannot preserve ${file}: it is a ${kind}`,
    hints: [
      kind === "directory"
        ? `pack it: tar c ${file.startsWith('"') ? file : "DIRECTORY"} | luo file preserve ... --stdin`
        : "read it through a pipe: --stdin",
    ],
  }),
  "source-resized": ({ file, before, after }) => ({
    message: `Cannot preserve ${file}: it changed while it was read (from ${before} to ${after} bytes)`,
    hints: TRY_AGAIN,
  }),
  "source-written": ({ file }) => ({
    message: `Cannot preserve ${file}: it was written to while it was read`,
    hints: TRY_AGAIN,
  }),
  "memory": ({ file, needed, available }) => ({
    kind: "refused",
    message: `Cannot preserve ${file}: ${mebibytes(needed)} more are needed, ` +
      `${mebibytes(available)} of memory are available`,
    hints: [
      "free some memory, or preserve less",
      "--force tries all the same: the OOM killer may end other programs",
    ],
  }),
  "target-form": ({ path }) => ({
    message: `Cannot write ${quoted(path)}: it names a directory, a file is needed`,
  }),
  "target-exists": ({ path }) => ({
    message: `Cannot write ${quoted(path)}: it is there already`,
    hints: ["choose another name, or replace it with --force"],
  }),
  "target-directory": ({ path, directory, errno }) => ({
    message: `Cannot write ${quoted(path)}: there is no directory ${quoted(directory)} (${errno})`,
    hints: ["make it first, with mkdir -p"],
  }),
  "target-kind": ({ path, kind }) => ({
    message: `Cannot write ${quoted(path)}: it is a ${kind}`,
    hints: kind === "directory" ? [] : ["write into it instead, with --stdout"],
  }),
  "restored-short": ({ file, moved, size }) => ({
    message: `Cannot restore ${file}: it ended after ${moved} of ${size} bytes`,
  }),
  "digest": ({ file, preserved, found }) => ({
    kind: "digest-mismatch",
    message: `Cannot restore ${file}: its contents are not what was preserved`,
    hints: [
      `preserved: ${preserved}`,
      `found:     ${found}`,
      "the file was not given out; to have it all the same: --no-verify",
    ],
  }),
};

export function fileWords<Code extends FileProblemCode>({ code, fields }: FileProblem<Code>): FileWords {
  return FILE_WORDS[code](fields);
}
