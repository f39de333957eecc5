/** Whether a program may look into another process by /proc (kernel/ptrace.c: __ptrace_may_access(), PTRACE_MODE_READ_FSCREDS). */
import { owner, readlink } from "../../ffi/file.ts";
import { read_text } from "../../ffi/proc.ts";
import { leader } from "./process_numbers.ts";

const CAP_SYS_PTRACE = 1n << 19n;

/** `pid`: luo's number of the process, or of one of its threads. A process that is gone is the host's to refuse. */
export function mayLookInto(tid: number, pid: number): boolean {
  if (tid === pid) return true;
  const [own, other] = [statusOf(tid), statusOf(pid)];
  if (own === undefined || other === undefined || leader(tid) === leader(pid)) return true;
  const same = readlink(`/proc/${tid}/ns/user`) === readlink(`/proc/${pid}/ns/user`);
  // A process of an outer user namespace is one of the machine's own.
  const inner = readlink(`/proc/${pid}/ns/user`) !== readlink("/proc/self/ns/user");
  if ((own.effective & CAP_SYS_PTRACE) !== 0n && (same || inner)) return true;
  const alike = (mine: readonly number[], theirs: readonly number[]) =>
    theirs.slice(0, 3).every((id) => id === mine[3]);
  if (!alike(own.uids, other.uids) || !alike(own.gids, other.gids)) return false;
  // The files of a process that may not be dumped are root's.
  const found = owner(`/proc/${pid}/fd`);
  const dumpable = typeof found === "number" || found.uid === other.uids[1];
  return dumpable && same && (other.permitted & ~own.effective) === 0n;
}

interface Status {
  readonly uids: readonly number[];
  readonly gids: readonly number[];
  readonly permitted: bigint;
  readonly effective: bigint;
}

function statusOf(pid: number): Status | undefined {
  const text = read_text(`/proc/${pid}/status`);
  if (text === undefined) return undefined;
  const words = (name: string) => new RegExp(`^${name}:\\t(.*)$`, "m").exec(text)?.[1]?.split("\t") ?? [];
  const capabilities = (name: string) => BigInt(`0x${words(name)[0] ?? "0"}`);
  return {
    uids: words("Uid").map(Number),
    gids: words("Gid").map(Number),
    permitted: capabilities("CapPrm"),
    effective: capabilities("CapEff"),
  };
}
