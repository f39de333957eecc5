/** What the guest says about one case, or one phase of a reboot case. */
export interface CaseReport {
  readonly name: string;
  readonly phase: "single" | "before" | "after" | "later";
  readonly ms: number;
  /** Of a failed one: message and stack. */
  readonly error?: string;
}
