/** The command of `file restore --exec`: as a child whose signals and exit code luo passes on, or in the place of luo. */
import { kill } from "../../ffi/process.ts";
import type { FileInfo } from "../../lib/agent/protocol.ts";
import { become, exitCodeOf, startWith } from "../../lib/files/execute.ts";
import type { HostFd } from "../../lib/files/host_fd.ts";
import { descriptionAt } from "../../lib/files/own_description.ts";
import { inForeground } from "../../lib/files/terminal.ts";
import { onSignals } from "./signals.ts";

/**
 * Runs the command to its end. luo stays as its parent.
 *
 * @returns the exit code of the command, or 128 and the signal that ended it
 * @throws LuoError `execute`, `restore`
 */
export async function runWithFile(argv: readonly string[], fd: HostFd, file: FileInfo): Promise<number> {
  let pid = 0;
  // Listeners run between turns of the event loop, so none runs before `pid` is known.
  const send = (signal: number) => void kill(pid, signal);
  // The terminal sends Ctrl-C and Ctrl-\ to the command too, and to the command a second one may mean something else.
  const sendUnlessTerminal = (signal: number) => {
    if (!inForeground()) send(signal);
  };
  using _ = onSignals({
    SIGHUP: send,
    SIGTERM: send,
    SIGUSR1: send,
    SIGUSR2: send,
    SIGINT: sendUnlessTerminal,
    SIGQUIT: sendUnlessTerminal,
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
