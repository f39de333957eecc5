/** Connects to the model's machine, if one runs. */
import { LuoError } from "../../lib/error.ts";
import type { SystemCalls } from "../../lib/system_calls.ts";

/** A new process of the model's machine that listens at `socket`. Undefined: no machine listens there. */
export function connectIfRunning(
  connect: (socket: string) => SystemCalls,
  socket: string,
): SystemCalls | undefined {
  try {
    return connect(socket);
  } catch (error) {
    if (error instanceof LuoError && (error.is("ENOENT") || error.is("ECONNREFUSED"))) return undefined;
    throw error;
  }
}
