/** A software model in a process of its own: what `luo machine run` is. */
import { Machine, type MachineOptions } from "../model/machine.ts";
import { LinuxHost } from "./linux_host.ts";
import { LibcDisk } from "./libc_disk.ts";
import { MachineServer } from "./machine_server.ts";

export { connectMachine } from "./remote_system_calls.ts";

export interface ServeOptions extends Omit<MachineOptions, "host" | "disk" | "on_reset"> {
  /** Of its Unix socket, at most 107 bytes. Its directory decides who can get at it, besides the mode 0600. */
  readonly path: string;
  /** Powers the machine off, whatever is in it. */
  readonly signal?: AbortSignal;
}

/**
 * Powers a machine on and serves its processes (`connectMachine`) until the last one has said goodbye and nothing is left that
 * anybody could come for, until one of them powers it off, or until `signal` fires. No socket is left behind.
 *
 * @throws LuoError `listen`: EADDRINUSE (a machine runs there), ENOENT, EACCES, ENAMETOOLONG
 */
export async function serveMachine({ path, signal, ...options }: ServeOptions): Promise<void> {
  const host = new LinuxHost();
  const machine = new Machine({
    ...options,
    host,
    disk: new LibcDisk(),
    on_reset: () => host.closeAll(),
  });
  await new MachineServer(path, machine).run(signal);
}
