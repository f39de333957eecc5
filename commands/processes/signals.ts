/** Listens for signals, except those that luo was started to ignore: SIGHUP under nohup(1), SIGINT in a background job of a script. */
import { ignore, is_ignored } from "../../ffi/process.ts";

/** The signals that luo listens for, with their numbers (signal(7)). */
const NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGUSR1: 10, SIGUSR2: 12, SIGTERM: 15 } as const;
const SIGNALS = Object.entries(NUMBERS) as [ListenedSignal, number][];

export type ListenedSignal = keyof typeof NUMBERS;
type Listeners = Partial<Record<ListenedSignal, (number: number) => void>>;

/**
 * Calls the listener of every signal that comes, until the answer is disposed of. An ignored signal stays ignored, in programs that are
 * started later too: the first listener of Deno also catches SIGHUP, SIGINT and SIGTERM, and would end this process at them, so they are
 * ignored again.
 *
 * @param always also called for a signal that was ignored
 */
export function onSignals(listeners: Listeners, always: Listeners = {}): Disposable {
  const ignored = SIGNALS.filter(([name, number]) => always[name] === undefined && is_ignored(number));
  const isIgnored = (name: ListenedSignal) => ignored.some(([one]) => one === name);
  const heard = SIGNALS.flatMap(([name, number]) => {
    const listener = always[name] ?? listeners[name];
    return listener === undefined || isIgnored(name) ? [] : [{ name, run: () => listener(number) }];
  });
  for (const { name, run } of heard) Deno.addSignalListener(name, run);
  for (const [, number] of ignored) ignore(number);
  return {
    [Symbol.dispose]() {
      for (const { name, run } of heard) Deno.removeSignalListener(name, run);
    },
  };
}
