/**
 * What can be wrong with moving bytes that is no failed system call.
 *
 * `unsuitable`: a directory, FIFO, socket or device; `changed`: the source ended early or grew while it was read; `memory`:
 * this much does not fit; `exists`: the target is there; `directory`: the target's directory is not; `digest`: the contents
 * are not what was preserved.
 */
export type FileProblemKind = "unsuitable" | "changed" | "memory" | "exists" | "directory" | "digest";

export class FileProblem extends Error {
  override readonly name = "FileProblem";

  constructor(
    readonly kind: FileProblemKind,
    message: string,
    /** What to do about it, one line each. */
    readonly hints: readonly string[] = [],
  ) {
    super(message);
  }
}
