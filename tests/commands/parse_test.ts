/** `parse` of the commands: which command lines are accepted. */
import assert from "node:assert/strict";
import * as preserve from "../../commands/file_preserve.ts";
import { parseMode } from "../../commands/arguments/file_mode.ts";
import * as restore from "../../commands/file_restore.ts";
import * as load from "../../commands/kexec_load.ts";
import { parseOneOrAll } from "../../commands/arguments/one_or_all.ts";
import * as retrieve from "../../commands/session_retrieve.ts";
import * as status from "../../commands/status.ts";
import * as create from "../../commands/session_create.ts";
import { EXIT } from "../../commands/base/exit_codes.ts";
import { Failure } from "../../commands/errors/failure.ts";
import { limit_ms } from "../../commands/processes/call_limit.ts";
import { parseNumber, parseSeconds, tokenArgument } from "../../commands/arguments/token.ts";

const usage = (error: unknown) => error instanceof Failure && error.exit === EXIT.usage;

Deno.test("a token is any u64, decimal or 0x", () => {
  const good: [string, bigint][] = [
    ["0", 0n],
    ["7", 7n],
    ["007", 7n],
    ["0x10", 16n],
    ["0XfF", 255n],
    ["18446744073709551615", 0xffff_ffff_ffff_ffffn],
    ["0xffffffffffffffff", 0xffff_ffff_ffff_ffffn],
  ];
  for (const [text, token] of good) assert.equal(tokenArgument(text), token);
  for (
    const text of ["", "-1", "+1", "1.0", "1e3", " 1", "0x", "x", "0b1", "1_000", "18446744073709551616"]
  ) {
    assert.throws(() => tokenArgument(text), RangeError, text);
  }
});

Deno.test("numbers of descriptors and processes", () => {
  assert.equal(parseNumber("0"), 0);
  assert.equal(parseNumber("2147483647"), 0x7fff_ffff);
  for (const text of ["", "-1", "x", "0x1", "1.5", "2147483648"]) {
    assert.throws(() => parseNumber(text), RangeError, text);
  }
});

Deno.test("seconds of --timeout: whole or with a part, 0 for no limit", () => {
  assert.deepEqual(["0", "30", "0.5", "1.25"].map(parseSeconds), [0, 30, 0.5, 1.25]);
  for (const text of ["", "-1", "x", "1s", ".5", "1e3", "0x1", "Infinity", "99999999"]) {
    assert.throws(() => parseSeconds(text), RangeError, text);
  }
});

Deno.test("how long a command waits: --timeout, else by what the call does", () => {
  assert.equal(limit_ms("GetStatus", {}), 10_000);
  assert.equal(limit_ms("PreserveFile", {}), 600_000);
  assert.equal(limit_ms("PreserveFile", { timeout: 0.5 }), 500);
  assert.equal(limit_ms("GetStatus", { timeout: 0 }), Infinity);
});

const common = { json: false };

Deno.test("a session name is one that the kernel takes", () => {
  const name = (text: string) => create.parse({ ...common, ifAbsent: false, keep: false }, text).name;
  assert.equal(name("vm1"), "vm1");
  assert.equal(name("ä".repeat(31)), "ä".repeat(31));
  for (const text of ["", "x".repeat(64), "ä".repeat(32)]) {
    assert.throws(() => name(text), usage, text);
  }
});

Deno.test("one session or --all, never both", () => {
  assert.equal(parseOneOrAll(false, "vm1"), "vm1");
  assert.equal(parseOneOrAll(true, undefined), undefined);
  assert.throws(() => parseOneOrAll(true, "vm1"), usage);
  assert.throws(() => parseOneOrAll(false, undefined), usage);
  const flags = { ...common, all: true, force: true, ifNeeded: false };
  assert.throws(() => retrieve.parse(flags, undefined), usage, "systemd's session is taken by name only");
  assert.throws(() => status.parse({ ...common, watch: true, exitCode: true }), usage);
});

const source = { ...common, stdin: false, token: 7n, seal: false, digest: false, force: false };

Deno.test("a file to preserve has exactly one source", async (t) => {
  const good: [string, Partial<preserve.Flags>, preserve.Request["source"]][] = [
    ["--from", { from: "x" }, { kind: "file", path: "x" }],
    ["--stdin", { stdin: true }, { kind: "stdin" }],
    ["--fd", { fd: 5 }, { kind: "fd", fd: 5 }],
    ["--fd 0", { fd: 0 }, { kind: "fd", fd: 0 }],
    ["--pid --fd", { pid: 4, fd: 5 }, { kind: "process", pid: 4, fd: 5 }],
  ];
  for (const [name, flags, expected] of good) {
    await t.step(
      name,
      () => assert.deepEqual(preserve.parse({ ...source, ...flags }, "vm1").source, expected),
    );
  }
  const bad: Partial<preserve.Flags>[] = [
    {},
    { pid: 4 },
    { from: "x", stdin: true },
    { stdin: true, fd: 3 },
    { from: "x", pid: 3 },
    { from: "-" },
  ];
  for (const flags of bad) {
    await t.step(
      JSON.stringify(flags),
      () => assert.throws(() => preserve.parse({ ...source, ...flags }, "vm1"), usage),
    );
  }
});

const target = { ...common, stdout: false, exec: false, force: false, noVerify: false, become: false };

Deno.test("a file to restore has exactly one destination", () => {
  const parse = (flags: Partial<restore.Flags>, ...command: string[]) =>
    restore.parse({ ...target, ...flags }, "vm1", "0x7", ...command).destination;
  const file = { kind: "file", path: "out", replace: false, mode: undefined };
  assert.deepEqual(parse({ to: "out" }), file);
  assert.deepEqual(parse({ to: "out", force: true, mode: 0o640 }), { ...file, replace: true, mode: 0o640 });
  assert.deepEqual(parse({ stdout: true }), { kind: "stdout" });
  assert.deepEqual(parse({ exec: true }, "cat", "-n"), { kind: "exec", argv: ["cat", "-n"], become: false });
  assert.throws(() => parse({}), usage);
  assert.throws(() => parse({ to: "out", stdout: true }), usage);
  assert.throws(() => parse({ stdout: true, force: true }), usage);
  assert.throws(() => parse({ exec: true, force: true }, "cat"), usage);
  assert.throws(() => parse({ stdout: true, mode: 0o600 }), usage);
  assert.throws(() => parse({ exec: true }), usage);
  assert.throws(() => parse({ to: "-" }), usage);
  assert.throws(() => parse({ to: "out" }, "cat"), usage);
  assert.throws(() => parse({ stdout: true, json: true }), usage);
  assert.throws(() => restore.parse({ ...target, stdout: true }, "vm1", "seven"), usage);
});

Deno.test("a mode is three octal digits", () => {
  assert.deepEqual(["640", "0640", "000"].map(parseMode), [0o640, 0o640, 0]);
  for (const text of ["", "8", "64", "rw-", "4755", "-600", "0x1ff"]) {
    assert.throws(() => parseMode(text), text);
  }
});

Deno.test("--force replaces a file and still verifies; --no-verify alone does not verify", () => {
  const verify = (flags: Partial<restore.Flags>) =>
    restore.parse({ ...target, to: "out", ...flags }, "vm1", "7").verify;
  assert.deepEqual([verify({}), verify({ force: true }), verify({ noVerify: true })], [true, true, false]);
});

const image = { ...common, reuseCmdline: false, force: false };

Deno.test("a kernel is never loaded without a command line", () => {
  assert.equal(load.parse(image, "k").reuseCommandLine, true);
  assert.throws(() => load.parse({ ...image, reuseCmdline: true, commandLine: "x" }, "k"), usage);
  assert.equal(load.parse({ ...image, append: "x" }, "k").reuseCommandLine, true);
  assert.equal(load.parse({ ...image, commandLine: "x", append: "y" }, "k").reuseCommandLine, false);
  assert.equal(load.parse({ ...image, commandLine: "" }, "k").commandLine, "");
});
