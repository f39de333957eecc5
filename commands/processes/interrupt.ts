/** Ctrl-C during work that must clean up. */
import { Failure } from "../errors/failure.ts";

/**
 * Runs work that must clean up when the user presses Ctrl-C. Other work needs no listener: the signal ends the process, and
 * shells report that as 130 too.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stop = () => controller.abort(new Failure("interrupted", "Interrupted"));
  const signals = ["SIGINT", "SIGTERM"] as const;
  for (const signal of signals) Deno.addSignalListener(signal, stop);
  try {
    return await work(controller.signal);
  } finally {
    for (const signal of signals) Deno.removeSignalListener(signal, stop);
  }
}
