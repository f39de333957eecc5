/** An fd store on a model: a process of the machine that keeps copies of the agent's descriptors, as systemd's PID 1 does. */
import { check, LuoError } from "../../lib/error.ts";
import type { FdStore, StoredFd } from "../../lib/agent/fd_store.ts";
import type { Machine } from "../../lib/model/machine.ts";
import { openDevice } from "../../lib/session.ts";
import type { SystemCalls } from "../../lib/system_calls.ts";

/** The process with the store. It outlives the agents of its kernel. */
export class StoreProcess {
  readonly sys: SystemCalls;
  readonly entries: { readonly name: string; readonly fd: number }[] = [];

  constructor(machine: Machine, readonly room = 64) {
    this.sys = machine.spawn();
  }

  /** The store as the agent in the process `agent` has it at its start. */
  of(agent: SystemCalls): FdStore {
    const copy = (from: SystemCalls, to: SystemCalls, fd: number): number => {
      const pidfd = check(to.pidfd_open(from.getpid(), 0), "pidfd_open", "a process");
      try {
        return check(to.pidfd_getfd(pidfd, fd, 0), "pidfd_getfd", "a descriptor");
      } finally {
        to.close(pidfd);
      }
    };
    const given: StoredFd[] = this.entries.map(({ name, fd }) => ({ name, fd: copy(this.sys, agent, fd) }));
    return {
      room: this.room,
      given,
      push: (name, fd) => {
        // systemd drops what does not fit, and does not tell.
        const mine = copy(agent, this.sys, fd);
        if (this.entries.length < this.room) this.entries.push({ name, fd: mine });
        else this.sys.close(mine);
      },
      remove: (name) => {
        for (const entry of this.entries.filter((one) => one.name === name)) {
          this.sys.close(entry.fd);
          this.entries.splice(this.entries.indexOf(entry), 1);
        }
      },
    };
  }

  get names(): string[] {
    return this.entries.map(({ name }) => name).sort();
  }

  /** Keeps the outgoing sessions over a kexec that the caller executes, as systemd 262 does: by their names. */
  carriesOver(): (machine: Machine) => StoreProcess {
    const { names } = this;
    return (machine) => {
      const next = new StoreProcess(machine, this.room);
      next.retrieveAll(names);
      return next;
    };
  }

  retrieveAll(names: readonly string[]): void {
    using device = openDevice(this.sys);
    for (const name of names) {
      try {
        this.entries.push({ name, fd: device.retrieve(name).fd.release() });
      } catch (error) {
        if (!(error instanceof LuoError)) throw error;
      }
    }
  }
}
