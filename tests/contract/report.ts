/** The reports that the virtual machine prints: one for each case, or for each phase of a reboot case. */

/** The result of a case, or of a phase of a reboot case. */
export interface CaseReport {
  readonly name: string;
  readonly phase: "single" | "before" | "after" | "later";
  readonly ms: number;
  /** Message and stack of a failure. */
  readonly error?: string;
}

/** The report in a line of the console; undefined when the line is none. */
export function parseReport(line: string): CaseReport | undefined {
  if (!line.startsWith(`{"name":`)) return undefined;
  try {
    return JSON.parse(line) as CaseReport;
  } catch {
    // The kernel printed a message in the middle of the line.
    return undefined;
  }
}

/** Lines of a kernel log that a healthy kernel does not write. */
export function troubleIn(dmesg: string): string[] {
  return dmesg.split("\n").filter((line) =>
    /WARNING:|BUG:|Oops|Call Trace|general protection|refcount_t|leaked|Out of memory|possible .* detected/
      .test(line)
  );
}
