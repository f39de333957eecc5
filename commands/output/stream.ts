/** Standard output and standard error, as the commands write them. */
import { Failure } from "../errors/failure.ts";

interface Sink {
  writeSync(bytes: Uint8Array): number;
}

/** Standard output. Every write is complete when it returns. `closed` is called when the reader has closed the pipe. */
export function output(to: Sink, closed: () => never) {
  return {
    write(text: string): void {
      try {
        writeAll(to, text);
      } catch (error) {
        if (error instanceof Deno.errors.BrokenPipe) closed();
        throw writeFailure(error);
      }
    },
  };
}

/**
 * Standard error. A message that cannot be written is dropped: an agent must not end because its log is on a full disk or its
 * terminal is gone.
 */
export function diagnostics(to: Sink) {
  return {
    write(text: string): void {
      try {
        writeAll(to, text);
      } catch {
        // There is no place left to report this.
      }
    },
  };
}

function writeAll(to: Sink, text: string): void {
  // stricli ends every message with a newline, also an empty message.
  if (text === "\n") return;
  let rest = new TextEncoder().encode(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(to.writeSync(rest));
    } catch (error) {
      // The parent made the pipe non-blocking, and its reader is slow.
      if (!(error instanceof Deno.errors.WouldBlock)) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
    }
  }
}

/**
 * How long to wait until the reader may have read something. poll(2) would tell, but it needs the C library, which commands such as
 * --help do not load.
 */
const RETRY_MS = 10;

/** The errno of a failed write: a full disk is not a bug of luo. */
function writeFailure(error: unknown): unknown {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return error;
  return new Failure("file-error", `Cannot write the result (${error.code})`, {
    operation: "write",
    subject: "standard output",
    errno: error.code,
  });
}
