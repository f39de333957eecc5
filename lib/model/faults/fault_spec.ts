/**
 * The faults to inject into a machine of the model, as text: `--faults SPEC` of `luo machine run`, and `LUO_FAULTS`.
 */
import { Errno, errnoName } from "../../../ffi/abi/errno.ts";
import { can_be_short, errnos_of, type FaultPlace, is_call, is_place } from "./fault_places.ts";

export type { FailingPlace, FaultPlace, OtherCall } from "./fault_places.ts";

/** The syntax, for --help and error messages. */
export const FAULT_SYNTAX = `seed=N, or PLACE[@WHEN]=WHAT, separated by commas
  PLACE  a system call (ioctl, write, kexec_file_load ...), "call" for
         any; "alloc" (the kernel's own memory); preserve, freeze,
         retrieve or can_finish (of a file); "handover", "page" (what
         the kexec hands over)
  WHEN   N: the N-th time since power-on; N+: from then on; 1/K: one
         time in K, by the seed; default: always
  WHAT   an errno the place can give; crash (SIGKILL, before the call);
         slow:MS; short:N (read, write, pread, pwrite: at most N
         bytes); corrupt (handover); lost (page)`;

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
  readonly place: FaultPlace;
  /** How often the place must be passed. */
  readonly when: FaultTime;
  /** The fault itself. */
  readonly what: Fault;
}

/** The n-th time, from the n-th time on, or by chance one time in n. */
export type FaultTime =
  | { readonly kind: "nth" | "from"; readonly n: number }
  | { readonly kind: "one in"; readonly n: number };

/** The answer is an errno, the process is killed, the handover is damaged, the call takes some time, or it transfers fewer bytes. */
export type Fault =
  | { readonly kind: "errno"; readonly errno: number }
  | { readonly kind: "crash" | "corrupt" | "lost" }
  | { readonly kind: "slow"; readonly ms: number }
  | { readonly kind: "short"; readonly bytes: number };

/** A text is not a valid `FaultSpec`, or a rule names a fault that the model cannot inject. */
export class BadFaultSpec extends Error {
  /** Tells this error from others across modules. */
  override readonly name = "BadFaultSpec";
}

/**
 * Reads faults from a text: `seed=N` and rules `PLACE[@WHEN]=WHAT`, separated by commas. `write@2=ENOSPC` fails the second write,
 * `read@1/3=short:10` shortens one read in three, `call@9+=crash` kills every process at its ninth call, counted over all.
 *
 * @throws BadFaultSpec
 */
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

/**
 * Refuses a rule that would never happen: a place that does not exist, an errno that the place cannot give, a time before the first.
 *
 * @throws BadFaultSpec
 */
export function check_rule({ place, when, what }: FaultRule): void {
  if (!is_place(place)) throw new BadFaultSpec(`"${place}" is not a place for a fault`);
  if (!Number.isSafeInteger(when.n) || when.n < 1) {
    throw new BadFaultSpec(`${when.n} is not a time: a whole number from 1 on`);
  }
  if (!can_happen(place, what)) throw new BadFaultSpec(refusal(place, text_of(what)));
}

function can_happen(place: FaultPlace, what: Fault): boolean {
  switch (what.kind) {
    case "errno":
      return errnos_of(place).some((name) => Errno[name] === what.errno);
    case "corrupt":
      return place === "handover";
    case "lost":
      return place === "page";
    case "crash":
      return is_call(place);
    case "slow":
      return is_call(place) && Number.isSafeInteger(what.ms) && what.ms >= 0;
    case "short":
      return can_be_short(place) && Number.isSafeInteger(what.bytes) && what.bytes > 0;
  }
}

function text_of(what: Fault): string {
  if (what.kind === "errno") return errnoName(what.errno);
  if (what.kind === "slow") return `slow:${what.ms}`;
  return what.kind === "short" ? `short:${what.bytes}` : what.kind;
}

function parse_rule(text: string): FaultRule {
  const [, place, when, what] = /^(\w+)(?:@([^=]+))?=(.+)$/.exec(text) ?? [];
  if (place === undefined || what === undefined) {
    throw new BadFaultSpec(`"${text}" is not PLACE[@WHEN]=WHAT`);
  }
  if (!is_place(place)) throw new BadFaultSpec(`"${place}" is not a place for a fault`);
  const rule = { place, when: parse_when(when ?? "1+"), what: parse_what(place, what) };
  check_rule(rule);
  return rule;
}

function parse_when(text: string): FaultTime {
  const [, one, number, plus] = /^(1\/)?([1-9]\d{0,8})(\+)?$/.exec(text) ?? [];
  if (number === undefined || (one !== undefined && plus !== undefined)) {
    throw new BadFaultSpec(`"@${text}" is not a time: N, N+ or 1/K with numbers from 1 on`);
  }
  const kind = one !== undefined ? "one in" : plus !== undefined ? "from" : "nth";
  return { kind, n: Number(number) };
}

function parse_what(place: FaultPlace, text: string): Fault {
  if (text === "corrupt" || text === "lost" || text === "crash") return { kind: text };
  const [, kind, number] = /^(slow|short):(\d{1,6})$/.exec(text) ?? [];
  if (number !== undefined) {
    return kind === "slow" ? { kind, ms: Number(number) } : { kind: "short", bytes: Number(number) };
  }
  const errno = errnos_of(place).find((name) => name === text);
  if (errno === undefined) throw new BadFaultSpec(refusal(place, text));
  return { kind: "errno", errno: Errno[errno] };
}

function refusal(place: FaultPlace, text: string): string {
  if (place === "handover" || place === "page") {
    return `"${place}" can only be ${place === "page" ? "lost" : "corrupt"}, not "${text}"`;
  }
  const calls = [...is_call(place) ? ["crash", "slow:MS"] : [], ...can_be_short(place) ? ["short:N"] : []];
  return `"${place}" cannot be "${text}": ${[...errnos_of(place), ...calls].join(", ")}`;
}
