/** Ctrl-C, and the end of the terminal, during work that must clean up. */
import { Failure } from "../errors/failure.ts";
import { onSignals } from "./signals.ts";

/**
 * Runs work that must clean up when the user presses Ctrl-C or closes the terminal. Other work needs no listener: the signal ends the
 * process, and shells report that as 130 too.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stop = () => controller.abort(new Failure("interrupted", "Interrupted"));
  using _ = onSignals({ SIGINT: stop, SIGTERM: stop, SIGHUP: stop });
  return await work(controller.signal);
}
