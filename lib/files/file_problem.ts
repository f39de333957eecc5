/** Problems with a file that are not failed system calls: a code and its fields. `commands/errors/file_words.ts` has the words. */

/** stat(2)'s type of a file, in words. */
export type FileKind = "regular file" | "directory" | "FIFO" | "socket" | "device";

/** Every code with its fields. `file` and `path` are what a problem is about; `file` is ready to print. */
export interface FileProblems {
  /** A file of /proc or /dev that luo needs is missing, whatever luo was asked to do. */
  "system-file": { readonly path: string };
  /** No handler of the kernel takes the file: only memfds and unlinked tmpfs files of small pages can be preserved. */
  "no-handler": { readonly file: string; readonly why: "huge pages" | "a name" | "not in memory" };
  /** A copy is made of regular files and of streams only. */
  "source-kind": { readonly file: string; readonly kind: FileKind };
  /** The source grew or ended early while it was copied. Sizes in bytes. */
  "source-resized": { readonly file: string; readonly before: bigint; readonly after: bigint };
  /** The source was written to while it was copied. */
  "source-written": { readonly file: string };
  /** Memory would not hold the copy. Bytes. */
  "memory": { readonly file: string; readonly needed: bigint; readonly available: bigint };
  /** kexec_file_load(2) takes regular files only. */
  /** The form of the path names a directory: `a/`, `.` or an empty path. */
  "target-form": { readonly path: string };
  /** Something is at the path already. */
  "target-exists": { readonly path: string };
  /** The directory of the path cannot be entered. */
  "target-directory": {
    readonly path: string;
    readonly directory: string;
    readonly errno: "ENOENT" | "ENOTDIR";
  };
  /** The path is a directory, or a device, FIFO or socket, which luo does not replace. */
  "target-kind": { readonly path: string; readonly kind: FileKind };
  /** The restored file ended before its size. Bytes. */
  "restored-short": { readonly file: string; readonly moved: bigint; readonly size: bigint };
  /** The restored file does not have the digest that was recorded when the file was preserved. */
  "digest": { readonly file: string; readonly preserved: string; readonly found: string };
}

export type FileProblemCode = keyof FileProblems;

export class FileProblem<Code extends FileProblemCode = FileProblemCode> extends Error {
  override readonly name = "FileProblem";

  readonly code: Code;
  readonly fields: FileProblems[Code];

  constructor(code: Code, fields: FileProblems[Code]) {
    const listed = Object.entries(fields).map(([name, value]) => `${name} ${value}`);
    super(`${code}: ${listed.join(", ")}`);
    this.code = code;
    this.fields = fields;
  }
}
