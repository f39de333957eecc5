/**
 * The faults to inject into a machine of the model, as text: `--faults SPEC` of `luo machine run`, and `LUO_FAULTS`.
 */
import { Errno, type ErrnoName } from "../../../ffi/abi/errno.ts";

/** The syntax, for --help and error messages. */
export const FAULT_SYNTAX = `seed=N, or PLACE[@WHEN]=WHAT, separated by commas
  PLACE  a system call (ioctl, write, kexec_file_load ...), "call" for
         any; "alloc" (the kernel's own memory); preserve, freeze,
         retrieve or can_finish (of a file); "handover", "page" (what
         the kexec hands over)
  WHEN   N: the N-th time since power-on; N+: from then on; 1/K: one
         time in K, by the seed; default: always
  WHAT   an errno the place can give; crash (SIGKILL, before the call);
         slow:MS; corrupt (handover); lost (page)`;

/** The faults to inject into a machine. */
export interface FaultSpec {
  /** Seed of the random choices: the same seed gives the same faults. */
  readonly seed: number;
  /** Each rule counts on its own. */
  readonly rules: readonly FaultRule[];
}

/** One fault: where, when, and what happens. */
export interface FaultRule {
  /** A system call, "call" for any, or a place inside the kernel ("alloc", "freeze", "handover" ...). */
  readonly place: string;
  /** How often the place must be passed. */
  readonly when: FaultTime;
  /** The fault itself. */
  readonly what: Fault;
}

/** The n-th time, from the n-th time on, or by chance one time in n. */
export type FaultTime =
  | { readonly kind: "nth" | "from"; readonly n: number }
  | { readonly kind: "one in"; readonly n: number };

/** The answer is an errno, the process is killed, the handover is damaged, or the call takes some time. */
export type Fault =
  | { readonly kind: "errno"; readonly errno: number }
  | { readonly kind: "crash" | "corrupt" | "lost" }
  | { readonly kind: "slow"; readonly ms: number };

/** Thrown when a text is not a valid `FaultSpec`. */
export class BadFaultSpec extends Error {
  override readonly name = "BadFaultSpec";
}

const IO: readonly ErrnoName[] = ["EINTR", "EIO", "ENOMEM"];
const OPEN: readonly ErrnoName[] = ["EINTR", "EMFILE", "ENFILE", "ENOMEM"];

/** The errnos that each place can give on Linux without any mistake of the caller. No other errno is accepted. */
const ERRNOS: Readonly<Record<string, readonly ErrnoName[]>> = {
  open: [...OPEN, "EIO"],
  dup: ["EMFILE"],
  ioctl: ["ENOMEM", "EMFILE", "ENFILE"],
  memfd_create: OPEN.slice(1),
  read: IO,
  pread: IO,
  write: [...IO, "ENOSPC"],
  pwrite: [...IO, "ENOSPC"],
  poll: ["ENOMEM"],
  fallocate: ["EINTR", "ENOMEM", "ENOSPC"],
  mmap: ["ENOMEM"],
  madvise: ["ENOMEM", "EAGAIN"],
  mkdir: ["ENOMEM", "ENOSPC"],
  mkfifo: ["ENOMEM", "ENOSPC"],
  pipe2: ["EMFILE", "ENFILE", "ENOMEM"],
  socketpair: ["EMFILE", "ENFILE", "ENOMEM"],
  sendmsg: ["EINTR", "ENOMEM", "ENOBUFS"],
  recvmsg: ["EINTR", "ENOMEM"],
  pidfd_open: ["EMFILE", "ENFILE", "ENOMEM"],
  pidfd_getfd: ["EMFILE"],
  kexec_file_load: ["EBUSY", "EINTR", "EKEYREJECTED", "ENOEXEC", "ENOMEM", "EPERM", "EADDRNOTAVAIL"],
  reboot: ["EBUSY", "EPERM"],
  alloc: ["ENOMEM"],
  preserve: ["EBUSY", "EINVAL", "EIO", "ENOMEM", "EOPNOTSUPP"],
  freeze: ["EBUSY", "EINVAL", "EIO", "ENOMEM"],
  retrieve: ["EINVAL", "EIO", "ENOMEM", "EOPNOTSUPP"],
  can_finish: ["EBUSY"],
};

/** Calls that accept only `slow` and `crash`, no errno. */
const OTHER_CALLS = [
  "call",
  "close",
  "fcntl",
  "lseek",
  "ftruncate",
  "fchmod",
  "fstat",
  "munmap",
  "load",
  "store",
]
  .concat(["unlink", "link_fd", "readlink", "sync", "adopt", "expose"]);
/** Places inside the kernel, which accept neither `slow` nor `crash`. */
const INSIDE = ["alloc", "preserve", "freeze", "retrieve", "can_finish"];

/** @throws BadFaultSpec */
export function parse_faults(text: string): FaultSpec {
  let seed = 1;
  const rules: FaultRule[] = [];
  for (const part of text.split(",").map((part) => part.trim()).filter((part) => part !== "")) {
    const [, number] = /^seed=(\d{1,9})$/.exec(part) ?? [];
    if (number !== undefined) seed = Number(number);
    else rules.push(parse_rule(part));
  }
  return { seed, rules };
}

function parse_rule(text: string): FaultRule {
  const [, place, when, what] = /^(\w+)(?:@([^=]+))?=(.+)$/.exec(text) ?? [];
  if (place === undefined || what === undefined) {
    throw new BadFaultSpec(`"${text}" is not PLACE[@WHEN]=WHAT`);
  }
  return { place, when: parse_when(when ?? "1+"), what: parse_what(place, what) };
}

function parse_when(text: string): FaultTime {
  const [, one, number, plus] = /^(1\/)?([1-9]\d{0,8})(\+)?$/.exec(text) ?? [];
  if (number === undefined || (one !== undefined && plus !== undefined)) {
    throw new BadFaultSpec(`"@${text}" is not a time: N, N+ or 1/K with numbers from 1 on`);
  }
  const kind = one !== undefined ? "one in" : plus !== undefined ? "from" : "nth";
  return { kind, n: Number(number) };
}

function parse_what(place: string, text: string): Fault {
  const call = OTHER_CALLS.includes(place) || (Object.hasOwn(ERRNOS, place) && !INSIDE.includes(place));
  if (place === "handover" && text === "corrupt") return { kind: "corrupt" };
  if (place === "page" && text === "lost") return { kind: "lost" };
  if (call && text === "crash") return { kind: "crash" };
  const [, ms] = /^slow:(\d{1,6})$/.exec(text) ?? [];
  if (call && ms !== undefined) return { kind: "slow", ms: Number(ms) };
  const errno = errnos_of(place).find((name) => name === text);
  if (errno !== undefined) return { kind: "errno", errno: Errno[errno] };
  throw new BadFaultSpec(refusal(place, text, call));
}

function errnos_of(place: string): readonly ErrnoName[] {
  return Object.hasOwn(ERRNOS, place) ? ERRNOS[place] ?? [] : [];
}

function refusal(place: string, text: string, call: boolean): string {
  if (place === "handover" || place === "page") {
    return `"${place}" can only be ${place === "page" ? "lost" : "corrupt"}, not "${text}"`;
  }
  if (!call && !Object.hasOwn(ERRNOS, place)) return `"${place}" is not a place for a fault`;
  const can = [...errnos_of(place), ...(call ? ["crash", "slow:MS"] : [])];
  return `"${place}" cannot be "${text}": ${can.join(", ")}`;
}
