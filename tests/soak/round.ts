/** What the soak knows of one round: a machine or an agent with its clients, which all follow from one seed. */
import type { Random } from "../traffic/random.ts";

export interface Round {
  readonly seed: number;
  readonly random: Random;
  /** A directory of its own. */
  readonly directory: string;
  /** How many clients are to live. */
  readonly clients: number;
  /** Faults of the machine, in luo's syntax; undefined: it has none. */
  readonly faults: string | undefined;
}

export interface Outcome {
  /** Clients that lived. */
  readonly lives: number;
  readonly kexecs: number;
  readonly defects: readonly string[];
}

/** A call, a start or an end may take so long on a busy host; what takes longer hangs. */
export const PATIENCE_MS = 60_000;

/** Lines that luo prints only when there is a mistake in it. */
const STACK =
  /Uncaught|unhandled|\bat (file|ext|async|https?):|^\s+at |panicked|TypeError|RangeError|ReferenceError|AssertionError|SyntaxError|Deno\./im;

/** The lines with a stack trace or another sign of a mistake. */
export function mistakesIn(stderr: string): string[] {
  return stderr.split("\n").filter((line) => STACK.test(line));
}

const FAULTS: readonly ((random: Random) => string)[] = [
  (random) => `ioctl@1/${10 + random.below(200)}=ENOMEM`,
  (random) => `ioctl@1/${10 + random.below(50)}=slow:${1 + random.below(30)}`,
  (random) => `alloc@1/${20 + random.below(500)}=ENOMEM`,
  (random) => `preserve@1/${2 + random.below(20)}=${random.pick(["ENOMEM", "EBUSY", "EINVAL"])}`,
  (random) => `freeze@1/${2 + random.below(10)}=EBUSY`,
  (random) => `retrieve@1/${2 + random.below(20)}=${random.pick(["ENOMEM", "EIO"])}`,
  (random) => `can_finish@1/${2 + random.below(10)}=EBUSY`,
  (random) => `handover@${1 + random.below(3)}=corrupt`,
  (random) => `kexec_file_load@1/${2 + random.below(4)}=ENOMEM`,
  (random) => `call@${100 + random.below(5000)}=crash`,
  (random) => `reboot@1/${2 + random.below(3)}=EBUSY`,
  (random) => `open@1/${5 + random.below(50)}=${random.pick(["ENOMEM", "EMFILE", "EINTR"])}`,
];

/** Faults by luo's syntax: one to three places. */
export function someFaults(random: Random): string {
  const places = Array.from({ length: 1 + random.below(3) }, () => random.pick(FAULTS)(random));
  return [`seed=${random.below(100_000)}`, ...new Set(places)].join(",");
}
