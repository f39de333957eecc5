/** Runs a machine in this process and serves it to other processes: `luo machine run`. */
import { Machine, type MachineOptions } from "../model/machine.ts";
import { LinuxHost } from "./linux_host.ts";
import { LibcDisk } from "./libc_disk.ts";
import { MachineServer } from "./machine_server.ts";

export { connectMachine } from "./remote_system_calls.ts";

/** The options of a machine that serves other processes. */
export interface ServeOptions extends Omit<MachineOptions, "host" | "disk" | "on_reset"> {
  /** The path of the machine's Unix socket, at most 107 bytes. The socket has mode 0600. */
  readonly path: string;
  /** Powers the machine off, and loses everything in it. */
  readonly signal?: AbortSignal;
  /** Whether something outside of the machine is of use only as long as this kernel runs: an idle machine goes on then. */
  readonly isNeeded?: () => Promise<boolean>;
}

/**
 * Powers a machine on and serves its processes (`connectMachine`). Returns when the last process has ended by itself and left the
 * machine idle and not needed, when a process powers the machine off, or when `signal` fires. The socket is removed then.
 *
 * @throws LuoError `listen`: EADDRINUSE (a machine runs there), ENOENT, EACCES, ENAMETOOLONG
 */
export async function serveMachine({ path, signal, isNeeded, ...options }: ServeOptions): Promise<void> {
  const host = new LinuxHost();
  const machine = new Machine({
    ...options,
    host,
    disk: new LibcDisk(),
    on_reset: () => host.closeAll(),
  });
  await new MachineServer(path, machine, isNeeded).run(signal);
}
