/**
 * `deno task test:rehearse [WORDS]`: `luo rehearse` on real kernels, in virtual machines. Only the cases whose names contain WORDS.
 * Ends with `N passed, N failed`; exit status 1 when one failed.
 */
import assert from "node:assert/strict";
import { standInBzImage } from "../../lib/kexec/bzimage.ts";
import { cpio } from "../../lib/rehearse/cpio.ts";
import type { Answers, Rehearsal } from "../../lib/schema/answer_types.ts";
import { assertAnswer } from "../schema/assert_answer.ts";
import { Cli } from "../commands/cli.ts";
import { LUO, luoCommand } from "../luo_under_test.ts";
import { imagesDirectory } from "../vm/images.ts";

const NATIVE = new URL("../emulate/native/", import.meta.url).pathname;

/** A directory with a program that ends a boot, and `luo rehearse`. */
class Lab implements Disposable {
  readonly directory = Deno.makeTempDirSync({ prefix: "luo-rehearse-test-" });
  readonly images = imagesDirectory() ?? "";

  constructor() {
    const { success } = new Deno.Command("gcc", {
      args: ["-o", `${this.directory}/next`, `${NATIVE}next_boot.c`],
    }).outputSync();
    assert.ok(success, "gcc is needed");
  }

  start(args: readonly string[], env: Record<string, string> = {}): Deno.ChildProcess {
    return luoCommand(["rehearse", ...args], {
      cwd: this.directory,
      env: { LUO_TEST_KERNELS: this.images, TMPDIR: this.directory, ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  }

  async run(args: readonly string[], env: Record<string, string> = {}) {
    const { code, stdout, stderr } = await this.start(args, env).output();
    return { code, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
  }

  /** Rehearses an image; the answer is what the schema says. */
  async rehearse(args: readonly string[]): Promise<{ rehearsal: Rehearsal; code: number }> {
    const { out, err, code } = await this.run(args);
    assert.equal(err, "");
    const answer: { rehearsal: Rehearsal } = JSON.parse(out);
    assertAnswer("rehearse", answer);
    return { ...answer, code };
  }

  /** The files that luo left in its temporary directory. */
  left(): string[] {
    return [...Deno.readDirSync(this.directory)].map(({ name }) => name).filter((name) => name !== "next");
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.directory, { recursive: true });
  }
}

/** The next boot's kernel is the file that the first argument names. */
const CHAIN = `
echo "boot $LUO_BOOT of $(uname -r) in $PWD as $(id -u), it's $WORD"
echo "error $LUO_BOOT" >&2
echo changed >next && echo x >/etc/luo-rehearse-test || exit 9
[ $LUO_BOOT = 3 ] && exit 42
[ $LUO_BOOT = 2 ] && LUO_KERNEL=$1
export LUO_KERNEL
cp -f /proc/$$/exe /tmp/luo-was-here && exec ./program
`;

const CASES: Readonly<Record<string, (lab: Lab) => Promise<void>>> = {
  async "a chain of boots: output apart, exit code, the host unchanged"(lab) {
    Deno.copyFileSync(`${lab.directory}/next`, `${lab.directory}/program`);
    const old = `${lab.images}/bzImage-7.2.12-luo`;
    const { code, out, err } = await lab.run(["--", "sh", "-c", CHAIN, "sh", old], { WORD: "$a 'b'" });
    const line = (boot: number, release: string) =>
      `boot ${boot} of ${release} in ${lab.directory} as 0, it's $a 'b'\n`;
    assert.equal(err, "error 1\nerror 2\nerror 3\n");
    assert.equal(out, line(1, "7.3.4-luo") + line(2, "7.3.4-luo") + line(3, "7.2.12-luo"));
    assert.equal(code, 42);
    assert.ok(Deno.statSync(`${lab.directory}/next`).size > 1000);
    assert.throws(() => Deno.statSync("/etc/luo-rehearse-test"), Deno.errors.NotFound);
    assert.deepEqual(lab.left(), ["program"]);
  },

  async "a kernel of another format: its panic, exit 137"(lab) {
    const script = `LUO_KERNEL=${lab.images}/bzImage-7.3.4-mismatch; export LUO_KERNEL; exec ./next`;
    const { code, err } = await lab.run(["--kernel", "7.3.4-luo", "--", "sh", "-c", script]);
    assert.match(err, /LUO state is incompatible with 'luo-v4'/);
    assert.match(err, /Kernel panic/);
    assert.equal(code, 137);
    assert.deepEqual(lab.left(), []);
  },

  async "7.3.4 to 7.2.12 with an initramfs: fits, every byte"(lab) {
    const initrd = `${lab.directory}/initrd`;
    Deno.writeFileSync(
      initrd,
      cpio([{ path: "given", kind: "file", bytes: new Uint8Array(5), mode: 0o644 }]),
    );
    const args = ["7.2.12-luo", "--from", "7.3.4-luo", "--initrd", initrd, "--append", "given=1", "--json"];
    const { rehearsal, code } = await lab.rehearse(args);
    assert.deepEqual([rehearsal.verdict, code], ["fits", 0]);
    assert.deepEqual([rehearsal.fromRelease, rehearsal.toRelease], ["7.3.4-luo", "7.2.12-luo"]);
    assert.deepEqual([rehearsal.verifiedFiles, rehearsal.verifiedBytes], [rehearsal.files, rehearsal.bytes]);
    assert.deepEqual(rehearsal.problems, []);
    assert.ok(rehearsal.files > 2 && rehearsal.bytes > 2 ** 24);
    assert.ok(rehearsal.blackoutMs !== undefined && rehearsal.blackoutMs > 0);
    assert.match(rehearsal.consoleBefore.join("\n"), /Starting new kernel/);
  },

  async "7.3.4 to the mismatch: does not fit, the panic is on the console, exit 4"(lab) {
    const { rehearsal, code } = await lab.rehearse(["7.3.4-mismatch", "--from", "7.3.4-luo", "--json"]);
    assert.deepEqual([rehearsal.verdict, code], ["does_not_fit", 4]);
    assert.match(rehearsal.reason, /panics/);
    assert.match(rehearsal.consoleAfter.join("\n"), /LUO state is incompatible with 'luo-v4'/);
    assert.equal(rehearsal.blackoutMs, undefined);
  },

  async "liveupdate=off for the next kernel, and a file that is no kernel: do not fit"(lab) {
    const off = await lab.rehearse([
      "7.3.4-luo",
      "--from",
      "7.3.4-luo",
      "--append",
      "liveupdate=off",
      "--json",
    ]);
    assert.deepEqual([off.rehearsal.verdict, off.code, off.rehearsal.verifiedFiles], ["does_not_fit", 4, 0]);
    assert.match(off.rehearsal.problems.join("\n"), /liveupdate.*ENOENT/);
    Deno.writeTextFileSync(`${lab.directory}/text`, "no kernel\n".repeat(1000));
    const none = await lab.rehearse([`${lab.directory}/text`, "--from", "7.3.4-luo", "--json"]);
    assert.deepEqual([none.rehearsal.verdict, none.code], ["does_not_fit", 4]);
    assert.match(none.rehearsal.reason, /^The image cannot be loaded: it is a text file$/);
  },

  async "sessions like those that the agent holds"(lab) {
    await using cli = new Cli();
    await cli.ok(["session", "create", "held"]);
    await cli.ok(["file", "preserve", "held", "--stdin", "--token", "7"], { stdin: new Uint8Array(300_000) });
    await cli.ok(["file", "preserve", "held", "--stdin", "--token", "8"], { stdin: new Uint8Array(1) });
    const env = { LUO_TEST_KERNELS: lab.images };
    const args = ["rehearse", "7.3.4-luo", "--from", "7.2.12-luo"];
    const { rehearsal } = await cli.json<Answers["rehearse"]>(args, { env });
    assert.deepEqual([rehearsal.verdict, rehearsal.scaled], ["fits", false]);
    assert.deepEqual([rehearsal.sessions, rehearsal.files, rehearsal.bytes], [1, 2, 300_001]);
    assert.deepEqual([rehearsal.verifiedFiles, rehearsal.verifiedBytes], [2, 300_001]);
  },

  async "a next kernel that has said nothing when the time is over: cannot tell"(lab) {
    const image = `${lab.directory}/image`;
    Deno.writeFileSync(image, standInBzImage({ release: "7.9.0" }));
    const { rehearsal, code } = await lab.rehearse([
      image,
      "--from",
      "7.3.4-luo",
      "--timeout",
      "30",
      "--json",
    ]);
    assert.deepEqual([rehearsal.verdict, code], ["cannot_tell", 1]);
    assert.match(rehearsal.reason, /time limit was over \d+ s after the kexec/);
    assert.deepEqual(rehearsal.consoleAfter, []);
  },

  async "luo doctor on 7.3.4: nothing stops it; with another holder of the device: its name"(lab) {
    const script = `"$@" doctor --json; code=$?; exec 9</dev/liveupdate; "$@" doctor; echo $? $code`;
    const { out } = await lab.run(["--kernel", "7.3.4-luo", "--", "sh", "-c", script, "sh", ...LUO]);
    const [json = "", ...text] = out.split("\n");
    const { doctor }: Answers["doctor"] = JSON.parse(json);
    assert.deepEqual(doctor.findings.filter(({ verdict }) => verdict === "stops"), []);
    assert.deepEqual([doctor.backend, doctor.stopped], ["linux", false]);
    assert.match(text.join("\n"), /stops +Process \d+ \(sh\) holds \/dev\/liveupdate/);
    assert.match(out, /4 0\n$/);
  },

  async "a time limit"(lab) {
    const { code, err } = await lab.run(["--timeout", "2", "--", "sleep", "1000"]);
    assert.match(err, /the time limit is over/);
    assert.equal(code, 3);
    assert.deepEqual(lab.left(), []);
  },

  async "interrupted: no process and no file is left"(lab) {
    const child = lab.start(["--", "sleep", "1000"]);
    while (lab.left().length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
    const [scratch = ""] = lab.left();
    await new Promise((resolve) => setTimeout(resolve, 1000));
    child.kill("SIGINT");
    const { code } = await child.output();
    assert.equal(code, 130);
    assert.deepEqual(lab.left(), []);
    await ended(scratch);
  },

  async "killed: QEMU dies too"(lab) {
    const child = lab.start(["--", "sleep", "1000"]);
    while (lab.left().length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
    const [scratch = ""] = lab.left();
    while (processesNaming(scratch).length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
    child.kill("SIGKILL");
    await child.output();
    await ended(scratch);
  },
};

/** Waits for the end of the processes that name the word: the guard of QEMU needs a moment to kill it. */
async function ended(word: string): Promise<void> {
  for (const end = Date.now() + 60_000; processesNaming(word).length > 0 && Date.now() < end;) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.deepEqual(processesNaming(word), []);
}

function processesNaming(word: string): string[] {
  return [...Deno.readDirSync("/proc")].flatMap(({ name }) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const line = Deno.readTextFileSync(`/proc/${name}/cmdline`);
      return line.includes(word) ? [line] : [];
    } catch {
      return [];
    }
  });
}

let [passed, failed] = [0, 0];
for (const [name, run] of Object.entries(CASES)) {
  if (!name.includes(Deno.args.join(" "))) continue;
  using lab = new Lab();
  const started = Date.now();
  try {
    await run(lab);
    passed++;
    console.log(`ok     ${name} (${Date.now() - started} ms)`);
  } catch (error) {
    failed++;
    console.log(`FAILED ${name}\n${error instanceof Error ? error.message : error}`);
  }
}
console.log(`\n${passed} passed, ${failed} failed`);
Deno.exitCode = failed === 0 && passed > 0 ? 0 : 1;
