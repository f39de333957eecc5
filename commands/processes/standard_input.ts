/** Standard input, whose errors are sentences: it may be a directory, or a terminal that is gone. */
import { Failure } from "../errors/failure.ts";
import { hintsFor } from "../errors/hints.ts";

/** Standard input as a source of bytes. `read` answers null at its end. */
export const standardInput = {
  /** @throws Failure `file-error`: the bytes cannot be read */
  async read(into: Uint8Array): Promise<number | null> {
    try {
      return await Deno.stdin.read(into);
    } catch (error) {
      if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") throw error;
      throw new Failure("file-error", `Cannot read standard input (${error.code})`, {
        operation: "read",
        subject: "standard input",
        errno: error.code,
        hints: hintsFor("read", error.code),
      });
    }
  },
};
