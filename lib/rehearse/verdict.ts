/** The verdict of a rehearsal: whether the next kernel fits, and why. */
import type { Rehearsal } from "../schema/answer_types.ts";
import type { GuestReport } from "./in_guest.ts";
import type { ProgramResult } from "./rehearse_program.ts";

type Verdict = Rehearsal["verdict"];

/** The report of the guest, and how the machine ended. */
export interface Evidence {
  readonly result: ProgramResult;
  readonly verified: Extract<GuestReport, { step: "verified" }> | undefined;
  readonly failed: Extract<GuestReport, { step: "failed" }> | undefined;
  /** When the kexec began, by the clock of the console; undefined: it did not begin. */
  readonly jumped_at_ms: number | undefined;
  readonly errors: string;
}

export function verdictOf({ result, verified, failed, jumped_at_ms, errors }: Evidence): [Verdict, string] {
  if (verified !== undefined) {
    return verified.problems.length === 0
      ? ["fits", "Every byte came over"]
      : ["does_not_fit", "The next kernel did not take over what was preserved"];
  }
  if (failed?.while === "loading") return ["does_not_fit", `The image cannot be loaded: ${failed.error}`];
  if (failed !== undefined) return ["cannot_tell", `The running kernel cannot do it: ${failed.error}`];
  if (jumped_at_ms === undefined) {
    return ["cannot_tell", `The first kernel did not come to the kexec: ${notBegun(result, errors)}`];
  }
  switch (result.end) {
    case "panic":
      return ["does_not_fit", "The next kernel panics"];
    case "hang":
      return ["does_not_fit", "The next kernel hangs: its init did not start within two minutes"];
    case "timeout":
      return ["cannot_tell", outOfTime(result, jumped_at_ms)];
    case "reset":
      return ["does_not_fit", "The next kernel resets the machine without a word"];
    case "no_shares":
    case "no_overlay":
      return [
        "cannot_tell",
        "The next kernel boots, and cannot see the files of the host: 9p or overlayfs is missing",
      ];
    default:
      return ["cannot_tell", `The guest's part of the rehearsal failed: ${firstLine(errors)}`];
  }
}

/** A kernel that has not come to its init when the time is over may hang, and may be slow. */
function outOfTime({ boot, duration_ms }: ProgramResult, jumped_at_ms: number): string {
  if (boot > 1) return "The time limit was over before all was verified";
  const waited = ((duration_ms - jumped_at_ms) / 1000).toFixed();
  return `The time limit was over ${waited} s after the kexec, and the init of the next kernel had not started`;
}

function notBegun({ end, status }: ProgramResult, errors: string): string {
  return end === "exit" ? `exit code ${status}, ${firstLine(errors)}` : END_WORDS[end];
}

const END_WORDS: Readonly<Record<Exclude<ProgramResult["end"], "exit">, string>> = {
  panic: "it panicked",
  hang: "its init did not start in time",
  timeout: "the time limit is over",
  reset: "it switched the machine off",
  no_shares: "it has no 9p over virtio",
  no_overlay: "it has no 9p or no overlayfs",
  no_start: "QEMU did not start",
};

function firstLine(text: string): string {
  return text.trim().split("\n")[0] || "it said nothing";
}
