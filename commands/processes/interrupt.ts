import { Failure } from "../errors/failure.ts";

/**
 * Runs work that must clean up behind itself when the user presses Ctrl-C. Work that leaves nothing behind needs no listener:
 * it dies of the signal, which shells report as 130 too.
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
