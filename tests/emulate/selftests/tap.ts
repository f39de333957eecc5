/** Reads the TAP output of the kernel's selftests, and counts what did not pass. */

/** One case of the kernel's selftests. `trouble` is "" when it passed. */
export interface Case {
  readonly name: string;
  readonly trouble: string;
}

/** Cases of `liveupdate.c` in Linux 7.3.4, of its kexec programs, and the stages these have. */
const SUITE = "liveupdate_device.";
const SUITE_CASES = 15;
const PROGRAMS = ["luo_kexec_simple", "luo_multi_session", "luo_stress_sessions", "luo_stress_files"];

/** Judges the output of chain.sh. A case that was skipped or is missing has not passed. */
export function judge(out: string): Case[] {
  const suite = Array.from(out.matchAll(/^(not )?ok \d+ (liveupdate_device\.\w+)(.*)$/gm), (line): Case => {
    const [, not, name = "", rest = ""] = line;
    return { name, trouble: not !== undefined ? "not ok" : rest.includes("SKIP") ? rest.trim() : "" };
  });
  const missing = Array.from({ length: Math.max(0, SUITE_CASES - suite.length) }, (): Case => ({
    name: `${SUITE}?`,
    trouble: "it did not run",
  }));
  return [...suite, ...missing, ...PROGRAMS.map((program) => twoStages(program, out))];
}

function twoStages(program: string, out: string): Case {
  for (const stage of [1, 2]) {
    const code = out.match(new RegExp(`^selftest: ${program} stage ${stage} ended with (\\d+)$`, "m"))?.[1];
    if (code !== "0") {
      const how = code === undefined ? "did not run" : `ended with ${code}`;
      return { name: program, trouble: `stage ${stage} ${how}` };
    }
  }
  // A second stage that passes also prints a line, besides exit status 0.
  const said = out.split(`selftest: ${program} stage 2 ended`)[0]?.split("selftest: boot").at(-1) ?? "";
  return { name: program, trouble: said.includes("KEXEC TEST PASSED") ? "" : "stage 2 does not say PASSED" };
}
