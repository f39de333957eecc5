/** The command of `file restore --exec`: as a child whose signals and exit code luo passes on, or in the place of luo. */
import { ignore, is_ignored, kill } from "../../ffi/process.ts";
import type { FileInfo } from "../../lib/agent/protocol.ts";
import { become, exitCodeOf, startWith } from "../../lib/files/execute.ts";
import type { HostFd } from "../../lib/files/host_fd.ts";
import { descriptionAt } from "../../lib/files/own_description.ts";
import { inForeground } from "../../lib/files/terminal.ts";

const FORWARDED = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGUSR1: 10, SIGUSR2: 12, SIGTERM: 15 } as const;
/** Ctrl-C and Ctrl-\: the terminal sends them to the command too, and to the command a second one may mean something else. */
const FROM_TERMINAL: ReadonlySet<string> = new Set(["SIGINT", "SIGQUIT"]);

/**
 * Runs the command to its end. luo stays as its parent.
 *
 * @returns the exit code of the command, or 128 and the signal that ended it
 * @throws LuoError `execute`, `restore`
 */
export async function runWithFile(argv: readonly string[], fd: HostFd, file: FileInfo): Promise<number> {
  let pid = 0;
  using _ = onSignals((name, number) => {
    if (!FROM_TERMINAL.has(name) || !inForeground()) kill(pid, number);
  });
  using own = ownDescription(fd, file);
  pid = startWith(argv, own, variables(file));
  return await exitCodeOf(pid);
}

/**
 * Becomes the command. No process of luo is left to see its end, so the file is marked as restored before. Returns only by throwing.
 *
 * @throws LuoError `execute`, `restore`
 */
export function becomeWithFile(
  argv: readonly string[],
  fd: HostFd,
  file: FileInfo,
  mark: (restored: boolean) => void,
): never {
  using own = ownDescription(fd, file);
  mark(true);
  try {
    return become(argv, own, variables(file));
  } catch (error) {
    if (file.state === "waiting") mark(false);
    throw error;
  }
}

/** Opens the file once more, at the position that it had at the kexec. No other restore of the file moves this position. */
function ownDescription(fd: HostFd, { token, position = 0 }: FileInfo): HostFd {
  return descriptionAt(fd, BigInt(position), `file ${token}`);
}

function variables({ token, size }: FileInfo): Record<string, string> {
  return { LUO_FD: "3", LUO_TOKEN: token, LUO_SIZE: String(size) };
}

/**
 * Calls `send` for every signal that is for the command. A signal that luo was started with as ignored (nohup) stays ignored, in the
 * command too: the first listener of Deno also catches SIGHUP, SIGINT and SIGTERM, so they are ignored again. Listeners run between
 * turns of the event loop, so none runs before `pid` is known.
 */
function onSignals(send: (name: string, number: number) => void): Disposable {
  const signals = Object.entries(FORWARDED) as [keyof typeof FORWARDED, number][];
  const ignored = signals.filter(([, number]) => is_ignored(number));
  const heard = signals.filter((signal) => !ignored.includes(signal))
    .map(([name, number]) => ({ name, listener: () => send(name, number) }));
  for (const { name, listener } of heard) Deno.addSignalListener(name, listener);
  for (const [, number] of ignored) ignore(number);
  return {
    [Symbol.dispose]() {
      for (const { name, listener } of heard) Deno.removeSignalListener(name, listener);
    },
  };
}
