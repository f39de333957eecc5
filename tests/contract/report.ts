/** What the guest says about one case, or one phase of a reboot case. */
export interface CaseReport {
  readonly name: string;
  readonly phase: "single" | "before" | "after" | "later";
  readonly ms: number;
  /** Of a failed one: message and stack. */
  readonly error?: string;
}

/** A line of the console, if it is a report. */
export function parseReport(line: string): CaseReport | undefined {
  if (!line.startsWith(`{"name":`)) return undefined;
  try {
    return JSON.parse(line) as CaseReport;
  } catch {
    return undefined; // a line that the kernel wrote into
  }
}

/** Lines of a kernel log that a healthy kernel does not write. */
export function troubleIn(dmesg: string): string[] {
  return dmesg.split("\n").filter((line) =>
    /WARNING:|BUG:|Oops|Call Trace|general protection|refcount_t|leaked|Out of memory|possible .* detected/
      .test(line)
  );
}
