/** Ctrl-C, and the end of the terminal, during work that must clean up. */
import { read_text } from "../../ffi/proc.ts";
import { Failure } from "../errors/failure.ts";

const SIGHUP = 1n;

/**
 * Runs work that must clean up when the user presses Ctrl-C or closes the terminal. Other work needs no listener: the signal ends the
 * process, and shells report that as 130 too.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stop = () => controller.abort(new Failure("interrupted", "Interrupted"));
  // With one listener for any signal, Deno ends at a SIGHUP that nohup has made it ignore, unless that has a listener too.
  const hangUp = isIgnored(SIGHUP) ? () => {} : stop;
  const listeners = [["SIGINT", stop], ["SIGTERM", stop], ["SIGHUP", hangUp]] as const;
  for (const [signal, listener] of listeners) Deno.addSignalListener(signal, listener);
  try {
    return await work(controller.signal);
  } finally {
    for (const [signal, listener] of listeners) Deno.removeSignalListener(signal, listener);
  }
}

/** proc_pid_status(5): a mask in hex, the lowest bit is signal 1. */
function isIgnored(signal: bigint): boolean {
  const mask = /^SigIgn:\s*([0-9a-f]+)$/m.exec(read_text("/proc/self/status") ?? "")?.[1];
  return mask !== undefined && (BigInt(`0x${mask}`) >> (signal - 1n) & 1n) === 1n;
}
