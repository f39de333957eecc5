/** Holds outgoing sessions until the kexec. */
import type { Fd } from "./fd.ts";
import type { Device, OutgoingSession } from "./session.ts";

/**
 * The outgoing sessions of a program. Keep the holder for as long as the program runs: nothing ends its sessions but `forget` and
 * the end of the process. The kexec hands over what the holder has then.
 *
 * ```ts ignore
 * const holder = new SessionHolder();
 * {
 *   using device = openDevice(sys);
 *   holder.preserveAll(device, "cache", [[7n, memfd]]);
 * }
 * ```
 */
export class SessionHolder {
  readonly #sessions = new Map<string, OutgoingSession>();

  /** The sessions held, by name. */
  get sessions(): ReadonlyMap<string, OutgoingSession> {
    return this.#sessions;
  }

  /**
   * Creates a session, preserves the files, each under its token, and holds the session. When one file cannot be preserved, the
   * session is closed and none is.
   *
   * @throws LuoError `create`, `preserve`: see `Device.create` and `OutgoingSession.preserve`
   */
  preserveAll(
    device: Device,
    name: string,
    files: Iterable<readonly [token: bigint, fd: Fd]>,
  ): OutgoingSession {
    const session = device.create(name);
    try {
      for (const [token, fd] of files) session.preserve(fd, token);
    } catch (error) {
      session.fd[Symbol.dispose]();
      throw error;
    }
    this.#sessions.set(name, session);
    return session;
  }

  /** Closes a session: its files do not reach the next kernel. False when the holder has no session of that name. */
  forget(name: string): boolean {
    this.#sessions.get(name)?.close();
    return this.#sessions.delete(name);
  }
}
