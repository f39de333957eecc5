/** One line of a check, and the verdict of all lines. */
import type { CheckCode, CheckLine, CheckVerdict } from "../../schema/types.ts";

export type { CheckCode, CheckLine, CheckVerdict };

/** A fact, and where it comes from. */
export interface Fact<T> {
  readonly value: T;
  readonly source: string;
}

export function fits(code: CheckCode, reason: string, source: string): CheckLine {
  return { code, verdict: "fits", reason, source };
}

export function doesNotFit(code: CheckCode, reason: string, source: string): CheckLine {
  return { code, verdict: "does_not_fit", reason, source };
}

export function cannotTell(code: CheckCode, reason: string, source: string): CheckLine {
  return { code, verdict: "cannot_tell", reason, source };
}

/**
 * Facts without which preserved data may be lost. The kernel itself refuses to load an image for the other reasons, and then
 * nothing is lost: a line of those that cannot tell leaves the verdict as it is.
 */
const DECISIVE: ReadonlySet<CheckCode> = new Set<CheckCode>([
  "image",
  "release",
  "kho_format",
  "luo_format",
  "file_handlers",
  "liveupdate_built_in",
  "kho_built_in",
  "liveupdate_on",
  "kho_on",
]);

/** The lines that cannot tell and that decide. */
export function doubts(lines: readonly CheckLine[]): CheckLine[] {
  return lines.filter(({ code, verdict }) => verdict === "cannot_tell" && DECISIVE.has(code));
}

export function verdictOf(lines: readonly CheckLine[]): CheckVerdict {
  if (lines.some(({ verdict }) => verdict === "does_not_fit")) return "does_not_fit";
  return doubts(lines).length > 0 ? "cannot_tell" : "fits";
}
