/**
 * A process as the rest of the kernel sees it (`struct task_struct`): its user, its fds, its memory, and whether it has
 * ended.
 */
import { ProcessKilled } from "../../system_calls.ts";
import { FdTable } from "../fs/fd_table.ts";
import { Mappings } from "./mappings.ts";
import { PidfdInode } from "./pidfd.ts";
import type { System } from "./system.ts";

export class Task {
  readonly fds: FdTable;
  /** Shared by all pidfds of this process. */
  readonly pidfd_inode: PidfdInode;
  protected readonly mappings: Mappings = new Mappings();
  #system: System | undefined;

  readonly pid: number;
  readonly uid: number;

  constructor(system: System, pid: number, uid: number, nofile: number) {
    this.pid = pid;
    this.uid = uid;
    this.#system = system;
    this.fds = new FdTable(nofile);
    this.pidfd_inode = new PidfdInode(system.new_ino());
  }

  /** The kernel that this process runs on. @throws ProcessKilled when the process has ended */
  get system(): System {
    if (this.#system === undefined) throw new ProcessKilled(`Process ${this.pid} is gone`);
    return this.#system;
  }

  /** Every system call begins with this check. @throws ProcessKilled when the process has ended */
  protected check_alive(): void {
    if (this.ended) throw new ProcessKilled(`Process ${this.pid} is gone`);
  }

  get ended(): boolean {
    return this.#system === undefined;
  }

  /** exit(2), or a deadly signal: releases mappings and fds in the kernel's order. */
  exit(): void {
    if (this.#system === undefined) return;
    this.mappings.unmap_all();
    this.fds.close_all();
    this.#system.processes.delete(this.pid);
    this.#system = undefined;
  }

  [Symbol.dispose](): void {
    this.exit();
  }

  /**
   * Ends the process at a reset of the machine: releases nothing, and drops every reference to the old kernel's
   * objects.
   */
  forget(): void {
    this.mappings.forget();
    this.fds.forget();
    this.#system = undefined;
  }
}
