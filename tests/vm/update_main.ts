/**
 * `deno task test:update [STORY...]`: whole live updates by the command line on the real kernel, in virtual machines: 7.2.12 to 7.3.4,
 * back, and everything that can go wrong on the way; with LUO_TEST_ARCHITECTURE=aarch64 from 7.3.4 to 7.3.4 and back. Ends with
 * `N passed, N failed, N not run`; exit status 1 when one failed.
 */
import { equal, match, ok } from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { Status } from "../../lib/agent/protocol.ts";
import { troubleIn } from "../contract/report.ts";
import { testArchitecture } from "./architecture.ts";
import { CHECKOUT } from "./images.ts";
import { MissingTool } from "./tools.ts";
import { runInVm, VmError, type VmResult } from "./vm.ts";

const ARCHITECTURE = testArchitecture();
/** The kernel of the first boot. For arm64 there is one image. */
const OLD = ARCHITECTURE === "x86_64"
  ? { kernel: "7.2.12-luo", release: "7.2.12-luo" }
  : { kernel: undefined, release: "7.3.4-luo" };

interface Check {
  readonly name: string;
  /** Empty: passed. */
  readonly failed: string;
  /** Why the check could not run. */
  readonly skipped?: string;
}

/** Boots of each story of update.sh. */
const BOOTS = { upgrade: 3, others: 6, images: 1 };
/** The size of each file that is handed over. It is small: an emulated CPU digests less than 1 MiB/s. */
const DATA_BYTES = 300_001;

function judge(name: string, test: () => void): Check {
  try {
    test();
    return { name, failed: "" };
  } catch (error) {
    return { name, failed: error instanceof Error ? error.message : String(error) };
  }
}

function notRun(name: string, skipped: string): Check {
  return { name, failed: "", skipped };
}

function status(result: VmResult, boot: number): Status {
  const answer = result.results[`status.${boot}.json`];
  ok(answer !== undefined, `boot ${boot} left no status`);
  return (answer as { status: Status }).status;
}

/** Name, state, and token, label, state of each file. */
function contents({ sessions }: Status): unknown {
  return sessions.map(({ name, state, files }) => [
    `${name} ${state}`,
    ...files.map((file) => `${file.token} ${file.label ?? "-"} ${file.state} ${file.digest?.slice(0, 7)}`),
  ]);
}

function upgraded(result: VmResult): Check[] {
  return [
    ...ARCHITECTURE === "aarch64"
      ? [notRun("7.2.12 to 7.3.4", "there is no image of arm64 with 7.2.12")]
      : [],
    judge(`${OLD.release} to 7.3.4: the manifest lists everything`, () => {
      const after = status(result, 2);
      equal(after.lastUpdate?.fromRelease, OLD.release);
      equal(after.kernel.release, "7.3.4-luo");
      equal(after.lastUpdate?.count, 1);
      equal(after.lastUpdate?.files, 3);
      equal(
        JSON.stringify(contents(after)),
        JSON.stringify([[
          "example incoming",
          "1 disk waiting sha256:",
          "2 pipe waiting sha256:",
          "3 memory waiting sha256:",
        ]]),
      );
      equal(after.losses.length, 0);
    }),
    judge("and back: the second live update in a row", () => {
      const after = status(result, 3);
      equal(after.kernel.release, OLD.release);
      equal(after.lastUpdate?.fromRelease, "7.3.4-luo");
      equal(after.lastUpdate?.count, 2);
      equal(after.lastUpdate?.files, 3);
      equal(after.sessions.length, 0);
    }),
  ];
}

function byOthers(result: VmResult): Check[] {
  return [
    judge("a kexec by another program: all found again", () => {
      const after = status(result, 2);
      equal(after.lastUpdate?.count, 1);
      equal(JSON.stringify(contents(after)), JSON.stringify([["other incoming", "1 - waiting sha256:"]]));
      equal(after.losses.length, 0);
    }),
    judge("the agent killed before the kexec: nothing came over, and nobody is left to know", () => {
      const after = status(result, 3);
      equal(after.sessions.length, 0);
      equal(after.losses.length, 0);
      equal(after.lastUpdate, undefined);
    }),
  ];
}

function show({ name, failed, skipped }: Check): void {
  if (skipped !== undefined) return console.log(`not run ${name}: ${skipped}`);
  console.log(failed === "" ? `ok     ${name}` : `FAILED ${name}\n  ${failed.replaceAll("\n", "\n  ")}`);
}

const on_line = (line: string) => console.log(line);

async function tell(
  story: keyof typeof BOOTS,
  manifests: (result: VmResult) => Check[],
): Promise<Check[]> {
  const boots = BOOTS[story];
  try {
    const commands = Array.from({ length: boots }, () => `sh tests/vm/update.sh ${story}`);
    const files = { data: randomBytes(DATA_BYTES) };
    const result = await runInVm({ kernel: OLD.kernel, commands, files, timeout_ms: 1_700_000, on_line });
    const checks = (result.results["checks.jsonl"] ?? []) as Check[];
    return [
      ...checks,
      ...manifests(result),
      judge(`${story}: every boot came to its end`, () => {
        equal(`${result.boot} ${result.status}`, `${boots} 0`);
      }),
      judge(`${story}: nothing wrong in the kernel's log`, () => {
        equal(Object.values(result.dmesg).flatMap(troubleIn).join("\n"), "");
      }),
    ];
  } catch (error) {
    if (!(error instanceof VmError)) throw error;
    return [{ name: "the virtual machine", failed: `${story}: ${error.message}` }];
  }
}

/** Two kernels that do not understand each other: refused at the load and at the kexec; by force, the next one panics early. */
async function mismatch(): Promise<Check> {
  const luo = "/share/checkout/dist/luo";
  const load = `${luo} kexec load /share/kernels/bzImage-7.3.4-mismatch --initrd /share/boot/initrd`;
  const command =
    `${luo} agent start && { ${load}; echo refused: $?; ${load} --force && { ${luo} kexec exec; echo refused: $?; ` +
    `${luo} kexec exec --force; }; }`;
  const name = "a kernel of another format is refused twice, and panics";
  if (ARCHITECTURE === "aarch64") return notRun(name, "there is no image of arm64 with another format");
  let console = "";
  try {
    const result = await runInVm({ commands: [command], timeout_ms: 900_000 });
    console = result.console;
  } catch (error) {
    if (!(error instanceof VmError)) throw error;
    console = error.console;
  }
  return judge(name, () => {
    equal(console.match(/refused: 4/g)?.length, 2);
    match(console, /LUO state is incompatible with 'luo-v4'/);
    match(console, /Kernel panic/);
  });
}

/** A bug of 7.2 and 7.3 that costs all data, and luo's way around it (`Device.settle`). */
async function nameTaken(settle: boolean): Promise<Check> {
  const run = "deno run -A --cached-only tests/vm/name_taken.ts";
  let outcome = "";
  try {
    const { boot, status } = await runInVm({
      commands: [`${run} ${settle ? "settle" : ""}`, `${run} after`],
      timeout_ms: 900_000,
    });
    outcome = `boot ${boot} ended with ${status}`;
  } catch (error) {
    if (!(error instanceof VmError)) throw error;
    outcome = error.console;
  }
  const name = "51 sessions and a name taken twice";
  return settle
    ? judge(`${name}: settled, all come over`, () => equal(outcome, "boot 2 ended with 0"))
    : judge(`${name}: the next kernel panics`, () => match(outcome, /liveupdate_early_init/));
}

const STORIES = {
  upgrade: () => tell("upgrade", upgraded),
  others: () => tell("others", byOthers),
  images: () => tell("images", () => []),
  mismatch: async () => [await mismatch()],
  names: () => Promise.all([nameTaken(false), nameTaken(true)]),
};
type Story = keyof typeof STORIES;
const ALL = Object.keys(STORIES) as Story[];

/** On arm64 these stories are told by name only: an emulated arm64 takes minutes for each. */
const BY_NAME_ON_ARM64: readonly Story[] = ["others", "images", "names"];

/** The stories of these names; without a name all. */
function tellStories(names: readonly string[]): Promise<Check[][]> {
  const wrong = names.find((word) => !(word in STORIES));
  if (wrong !== undefined) throw new TypeError(`No story "${wrong}": ${ALL.join(", ")}`);
  const wanted = ALL.filter((story) => names.length === 0 || names.includes(story));
  return Promise.all(wanted.map((story) => {
    const by_name = ARCHITECTURE === "aarch64" && names.length === 0 && BY_NAME_ON_ARM64.includes(story);
    return by_name ? [notRun(story, `by name only: deno task test:update ${story}`)] : STORIES[story]();
  }));
}

/** The program that the guests run: dist/luo of this checkout, or dist/luo-aarch64. */
function build(): void {
  const { success } = new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "binary", ARCHITECTURE],
    cwd: CHECKOUT,
  })
    .outputSync();
  if (!success) throw new Error("deno task binary failed");
}

if (import.meta.main) {
  try {
    build();
    const checks = (await tellStories(Deno.args)).flat();
    console.log();
    checks.forEach(show);
    const failed = checks.filter((check) => check.failed !== "").length;
    const skipped = checks.filter((check) => check.skipped !== undefined).length;
    console.log(`\n${checks.length - failed - skipped} passed, ${failed} failed, ${skipped} not run`);
    Deno.exit(failed === 0 ? 0 : 1);
  } catch (error) {
    if (!(error instanceof MissingTool)) throw error;
    console.error(error.message);
    Deno.exit(1);
  }
}
