/** Digests of files, several side by side: one process for each, so that the agent goes on serving meanwhile. */
import { O_CLOEXEC, O_RDONLY } from "../../../ffi/abi/fcntl.ts";
import { close, lseek, open } from "../../../ffi/file.ts";
import { child_end } from "../../../ffi/process.ts";
import { spawn_with } from "../../../ffi/spawn.ts";
import { waitpid } from "../../../ffi/tracee.ts";
import { check } from "../../error.ts";
import { inheritedEnvironment } from "../../files/inherited_environment.ts";
import { digestOf } from "../../files/digest.ts";
import { HostFd } from "../../files/host_fd.ts";
import { Captured } from "./captured.ts";

const WNOHANG = 1;
const SEEK_CUR = 1;
/** How often it is looked how far a process is. */
const LOOK_MS = 200;
/** How many processes run at a time. */
const SIDE_BY_SIDE = navigator.hardwareConcurrency;

/**
 * The digest of an open file of the host, by sha256sum(1), or by this process where there is none. The file's position stays where it
 * is: the process reads through a description of its own.
 *
 * @param hashed called now and then with the bytes that are read so far
 * @throws LuoError `open`, `read`
 */
export async function digestByProcess(
  fd: number,
  name: string,
  hashed: (bytes: number) => void = () => {},
): Promise<string> {
  using own = new HostFd(check(open(`/proc/self/fd/${fd}`, O_RDONLY | O_CLOEXEC), "open", name));
  using output = new Captured("luo-digest");
  using errors = new Captured("luo-digest-errors");
  const pid = spawn_with({
    path: "sha256sum",
    search: true,
    argv: ["sha256sum", "-"],
    env: inheritedEnvironment(),
    fds: [[own.number, 0], [output.fd.number, 1], [errors.fd.number, 2]],
    apart: true,
  });
  if (pid > 0) {
    // The process shares this position.
    const look = setInterval(() => hashed(Number(lseek(own.number, 0n, SEEK_CUR))), LOOK_MS);
    await ended(pid).finally(() => clearInterval(look));
    const hex = /^[0-9a-f]{64}\b/.exec(new TextDecoder().decode(output.read(100)))?.[0];
    if (hex !== undefined) return `sha256:${hex}`;
  }
  return await digestOf({ fd: own.number, name });
}

async function ended(pid: number): Promise<void> {
  for (;;) {
    await child_end(pid);
    const answer = waitpid(pid, WNOHANG);
    if (typeof answer === "number" || answer.pid === pid) return;
  }
}

/** Does the work for each, some at a time. @throws what the work throws, after all that were begun have ended */
export async function sideBySide<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  const left = [...all];
  let failure: { readonly error: unknown } | undefined;
  const worker = async () => {
    for (let one = left.shift(); one !== undefined && failure === undefined; one = left.shift()) {
      try {
        await work(one);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(SIDE_BY_SIDE, all.length) }, worker));
  if (failure !== undefined) throw failure.error;
}

/** Closes a descriptor of the host when the scope ends. */
export function exposed(number: number): Disposable & { readonly number: number } {
  return { number, [Symbol.dispose]: () => void close(number) };
}
