/** `luo rehearse IMAGE` without a virtual machine: its plan, its command line, and the guest's part on the model. */
import assert from "node:assert/strict";
import { parse } from "../../commands/rehearse.ts";
import { Failure } from "../../commands/errors/failure.ts";
import { standInBzImage } from "../../lib/kexec/bzimage.ts";
import { MemoryDisk } from "../../lib/model/fs/disk.ts";
import { Machine } from "../../lib/model/machine.ts";
import { afterKexec, beforeKexec, type GuestOrder, type GuestReport } from "../../lib/rehearse/in_guest.ts";
import { Pattern } from "../../lib/rehearse/pattern.ts";
import { type Plan, planLike, totals } from "../../lib/rehearse/plan.ts";
import type { ProgramResult } from "../../lib/rehearse/rehearse_program.ts";
import { verdictOf } from "../../lib/rehearse/verdict.ts";
import { ProcessKilled } from "../../lib/system_calls.ts";

const MIB = 2 ** 20;
const file = (token: string, size: number, seals = 0) => ({ token, size, seals });

Deno.test("a plan is like the sessions that are held, and shrinks to a quarter of the machine's memory", () => {
  const held = [{ name: "a", files: [file("1", 3 * MIB, 3), file("2", 0)] }, { name: "b", files: [] }];
  assert.deepEqual(planLike(held, 2048), { sessions: held, scaled: false });
  const large = planLike([{ name: "a", files: [file("1", 6000 * MIB), file("2", 1)] }], 1024);
  assert.equal(large.scaled, true);
  assert.deepEqual(large.sessions[0]?.files.map(({ size }) => Math.round(size / MIB)), [256, 0]);
  assert.equal(large.sessions[0]?.files[1]?.size, 1);
  const many = planLike(
    [{ name: "a", files: Array.from({ length: 5000 }, (_, i) => file(`${i}`, 1)) }],
    1024,
  );
  assert.deepEqual([totals(many).files, many.scaled], [2000, true]);
  assert.ok(totals(planLike([], 2048)).files > 2);
});

Deno.test("how a machine ended after the kexec, and the verdict", () => {
  const ended = (end: ProgramResult["end"], boot: number, jumped_at_ms?: number) => {
    const result = {
      end,
      boot,
      kexec_began: boot === 1,
      duration_ms: 9000,
      lines: [],
      console: "",
      errors: "",
    };
    const [verdict, reason] = verdictOf({
      result,
      verified: undefined,
      failed: undefined,
      jumped_at_ms,
      errors: "",
    });
    return `${verdict}: ${reason}`;
  };
  assert.match(ended("hang", 1, 4000), /^does_not_fit: .*hangs/);
  assert.match(ended("panic", 1, 4000), /^does_not_fit: .*panics/);
  assert.match(ended("reset", 1, 4000), /^does_not_fit: .*resets/);
  assert.match(
    ended("timeout", 1, 4000),
    /^cannot_tell: .*over 5 s after the kexec, and the init .* had not started/,
  );
  assert.match(ended("timeout", 2, 4000), /^cannot_tell: .*over before all was verified/);
  assert.match(ended("no_shares", 1, 4000), /^cannot_tell: .*9p/);
  for (const end of ["hang", "timeout", "panic"] as const) {
    assert.match(ended(end, 0), /^cannot_tell: The first kernel did not come to the kexec/);
  }
});

Deno.test("no two pages of the pattern are equal", () => {
  const pattern = new Pattern();
  const pages = new Set<string>();
  for (const [number, offset] of [[0, 0], [0, MIB], [1, 0]] as const) {
    const bytes = pattern.at(number, offset, 2 * MIB);
    for (let at = 0; at < bytes.length; at += 4096) pages.add(bytes.subarray(at, at + 64).join());
  }
  assert.equal(pages.size, 3 * 256);
  assert.equal(pattern.at(0, MIB, MIB + 5).length, 5);
});

const PLAN: Plan = {
  sessions: [
    { name: "one", files: [file("1", 5 * MIB + 3), file("2", 0)] },
    { name: "two", files: [file("18446744073709551615", 4096, 0xf)] },
  ],
  scaled: false,
};

/** Preserves by one plan and looks for another in the next kernel. */
function rehearseOnModel(
  before: Plan,
  after: Plan,
  image = standInBzImage({ release: "7.3.4" }),
): GuestReport[] {
  const disk = new MemoryDisk({ "/image": image, "/initrd": new Uint8Array(4) });
  const machine = new Machine({ disk, memory_bytes: 2 ** 30 });
  const order: GuestOrder = {
    plan: before,
    kernel: "/image",
    initrd: "/initrd",
    commandLine: "liveupdate=on kho=on",
  };
  const reports: GuestReport[] = [];
  try {
    beforeKexec(machine.init(), order, (line) => void reports.push(line));
    return reports;
  } catch (error) {
    if (!(error instanceof ProcessKilled)) throw error;
  }
  return [...reports, afterKexec(machine.init(), { ...order, plan: after })];
}

Deno.test("the guest preserves, goes over a kexec and verifies every byte", () => {
  assert.deepEqual(rehearseOnModel(PLAN, PLAN), [
    { step: "preserved" },
    { step: "verified", ...totals(PLAN), problems: [] },
  ]);
});

Deno.test("every difference is reported: contents, sizes, seals, files, sessions", () => {
  const after: Plan = {
    sessions: [
      // Another number of the file is another pattern.
      { name: "nothing", files: [file("7", 1)] },
      { name: "one", files: [file("1", 5 * MIB + 3), file("2", 1), file("3", 1)] },
      { name: "two", files: [file("18446744073709551615", 4096, 0x1f)] },
    ],
    scaled: false,
  };
  const [, verified] = rehearseOnModel(PLAN, after);
  assert.ok(verified?.step === "verified");
  assert.deepEqual([verified.files, verified.bytes], [0, 0]);
  const words = [
    /retrieve session "nothing"/,
    /File 1 .*differs/,
    /File 2 .*0 bytes, 1/,
    /file 3 /,
    /the seals 15, 31/,
  ];
  assert.equal(verified.problems.length, words.length);
  words.forEach((word, index) => assert.match(verified.problems[index] ?? "", word));
});

Deno.test("an image that cannot be loaded is reported", () => {
  const [, failed] = rehearseOnModel(PLAN, PLAN, new Uint8Array(9000));
  assert.ok(failed?.step === "failed" && failed.while === "loading");
  assert.match(failed.error, /ENOEXEC/);
});

Deno.test("which command lines are an image's and which a program's", () => {
  const flags = { program: false, json: false };
  const common = { append: undefined, memory_mib: 2048, timeout_ms: undefined };
  assert.deepEqual(parse({ ...flags, from: "f", initrd: ["i"], root: "r", timeout: 2 }, ["image"]), {
    kind: "image",
    image: { image: "image", from: "f", initrds: ["i"], root: "r", ...common, timeout_ms: 2000 },
  });
  assert.deepEqual(parse({ ...flags, program: true, kernel: "k", memory: 512 }, ["cmd", "--flag"]), {
    kind: "program",
    program: { name: "cmd", args: ["--flag"], kernel: "k", ...common, memory_mib: 512 },
  });
  const wrong: [Partial<Parameters<typeof parse>[0]>, string[], RegExp][] = [
    [{}, [], /nothing/],
    [{ program: true }, [], /nothing/],
    [{}, ["a", "b"], /more than one image/],
    [{ kernel: "k" }, ["a"], /--kernel/],
    [{ program: true, from: "f", initrd: ["i"] }, ["a"], /--from and --initrd/],
    [{ program: true, json: true }, ["a"], /--json/],
  ];
  for (const [more, words, message] of wrong) {
    assert.throws(() => parse({ ...flags, ...more }, words), (error) => {
      return error instanceof Failure && error.exit === 2 && message.test(error.message);
    });
  }
});
