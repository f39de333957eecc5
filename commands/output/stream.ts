import { Failure } from "../errors/failure.ts";

/** Writes all of it, now: nothing may be lost by the exit. `closed` is called when nobody reads it any more. */
export function stream(to: { writeSync(bytes: Uint8Array): number }, closed: () => never) {
  return {
    write(text: string): void {
      // stricli ends every message with a newline, an empty one too.
      if (text === "\n") return;
      let rest = new TextEncoder().encode(text);
      try {
        while (rest.length > 0) rest = rest.subarray(to.writeSync(rest));
      } catch (error) {
        if (error instanceof Deno.errors.BrokenPipe) closed();
        throw writeFailure(error);
      }
    },
  };
}

/** A full disk behind `>` is no bug of ours. */
function writeFailure(error: unknown): unknown {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return error;
  return new Failure("file-error", `Cannot write the result (${error.code})`, {
    operation: "write",
    errno: error.code,
    hints: ["what was asked for was done all the same: see luo status"],
  });
}
