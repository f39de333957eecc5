/** A finding of the doctor: one line of its output. */
import type { Doctor } from "../schema/answer_types.ts";

/** The verdicts are described in lib/schema/doctor.ts. */
export type Finding = Doctor["findings"][number];
export type Code = Finding["code"];

export function ok(code: Code, text: string): Finding {
  return { code, verdict: "ok", text };
}

export function stops(code: Code, text: string, remedy: string): Finding {
  return { code, verdict: "stops", text, remedy };
}

export function warns(code: Code, text: string, remedy: string): Finding {
  return { code, verdict: "warns", text, remedy };
}

export function unknown(code: Code, text: string, remedy?: string): Finding {
  return remedy === undefined
    ? { code, verdict: "unknown", text }
    : { code, verdict: "unknown", text, remedy };
}
