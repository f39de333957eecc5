/** Takes a descriptor of a client's process, for clients that cannot send one (Node). */
import { Errno } from "../../ffi/abi/errno.ts";
import type { Credentials } from "../../ffi/abi/socket.ts";
import { close } from "../../ffi/file.ts";
import { read_bytes } from "../../ffi/proc.ts";
import { pidfd_getfd, pidfd_open } from "../../ffi/process.ts";
import { check, LuoError } from "../error.ts";

/** A process as /proc/PID/status describes it (Documentation/filesystems/proc.rst). */
export interface ProcessStatus {
  /** Real, effective and saved user. */
  readonly uids: readonly number[];
  /** The permitted capabilities, a bit each. */
  readonly capabilities: bigint;
  /** How many PID namespaces below that of /proc the process is in: 1 is that of /proc itself. */
  readonly namespaces: number;
}

/**
 * A copy of the descriptor `number` of the process `pid`, the caller's to close. The kernel checks whether the agent may take it.
 * The agent can have more rights than its client, so the agent checks whether the client may take it.
 *
 * @throws LuoError `preserve`: ESRCH no such process, EBADF no such descriptor, EPERM
 */
export function descriptorOf(pid: number, number: number, peer: Credentials): number {
  const subject = `descriptor ${number} of process ${pid}`;
  // Before the checks: from here on the number cannot become that of another process without the pidfd noticing it.
  const pidfd = check(pidfd_open(pid, 0), "preserve", subject);
  try {
    const objection = whyNot(peer.uid, statusOf(peer.pid), statusOf(pid));
    if (objection !== undefined) {
      throw new LuoError("preserve", subject, Errno.EPERM, `Cannot preserve ${subject}: ${objection}`);
    }
    const fd = pidfd_getfd(pidfd, number, 0);
    if (fd !== -Errno.EPERM) return check(fd, "preserve", subject);
    const reason =
      "the kernel refuses it to the agent, as it would refuse ptrace(2); send it with the request";
    throw new LuoError("preserve", subject, Errno.EPERM, `Cannot preserve ${subject}: ${reason}`);
  } finally {
    close(pidfd);
  }
}

/**
 * Why a client may not take what the process has. The rule is that of ptrace(2): the same user, and no capability that the client
 * lacks. Undefined: it may.
 */
export function whyNot(uid: number, client?: ProcessStatus, process?: ProcessStatus): string | undefined {
  if (client === undefined) return "the process of the client has ended or is not visible";
  if (client.namespaces !== 1) return "the client counts processes in a PID namespace of its own";
  if (process === undefined) return "the process has ended";
  if (process.uids.some((one) => one !== uid)) return "the process is not of the client's user";
  if ((process.capabilities & ~client.capabilities) !== 0n) {
    return "the process has capabilities that the client lacks";
  }
  return undefined;
}

/** Reads the text of /proc/PID/status. */
export function parseStatus(text: string): ProcessStatus | undefined {
  const field = (name: string) => new RegExp(`^${name}:\\s*(.*)$`, "m").exec(text)?.[1]?.split(/\s+/) ?? [];
  const uids = field("Uid").slice(0, 3).map(Number);
  const [capabilities] = field("CapPrm");
  if (uids.length !== 3 || capabilities === undefined) return undefined;
  return { uids, capabilities: BigInt(`0x${capabilities}`), namespaces: field("NSpid").length };
}

function statusOf(pid: number): ProcessStatus | undefined {
  const bytes = read_bytes(`/proc/${pid}/status`);
  return bytes && parseStatus(new TextDecoder().decode(bytes));
}
