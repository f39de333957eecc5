/** Tries hosts that differ from a good one: each has the finding that it should have. */
import assert from "node:assert/strict";
import type { Finding } from "../../lib/doctor/finding.ts";
import type { KnownAgent } from "../../lib/doctor/host.ts";
import { findingsOn, GOOD, type Tree } from "./hosts.ts";

export interface Case {
  readonly name: string;
  /** The differences from the good host; undefined: the file is not there. */
  readonly tree: Tree;
  readonly agent?: KnownAgent;
  readonly finding: readonly [
    code: Finding["code"],
    verdict: Finding["verdict"],
    text: RegExp,
    remedy?: RegExp,
  ];
}

/** A test for each case. All other findings that are not good have a remedy too. */
export function tryCases(cases: readonly Case[]): void {
  for (const { name, tree, agent, finding: [code, verdict, text, remedy] } of cases) {
    Deno.test(`doctor: ${name}`, async () => {
      const findings = await findingsOn({ ...GOOD, ...tree }, agent);
      const found = findings.filter((one) => one.code === code);
      const matching = found.find((one) => one.verdict === verdict && text.test(one.text));
      assert.ok(matching, JSON.stringify(found));
      if (remedy !== undefined) assert.match(matching.remedy ?? "", remedy);
      for (const finding of findings) {
        const bad = finding.verdict === "stops" || finding.verdict === "warns";
        assert.equal(finding.remedy !== undefined, bad, JSON.stringify(finding));
      }
    });
  }
}
