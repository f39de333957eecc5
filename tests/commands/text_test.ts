/** Text for people: sizes, tables, statuses, hints, progress. */
import assert from "node:assert/strict";
import { Errno } from "../../ffi/abi/errno.ts";
import type { FileInfo, SessionInfo, Status } from "../../lib/agent/protocol.ts";
import { format as formatFiles } from "../../commands/file_list.ts";
import { HINT_KEYS, hintsFor } from "../../commands/errors/hints.ts";
import { imageText } from "../../commands/output/kexec_text.ts";
import { Progress, progressLine } from "../../commands/output/progress.ts";
import { format as formatSession } from "../../commands/session_show.ts";
import { statusText } from "../../commands/output/status_text.ts";
import { rebootLines } from "../../commands/output/store_text.ts";
import { systemdLines, systemdRows } from "../../commands/output/systemd_text.ts";
import type { Systemd } from "../../lib/schema/answer_parts.ts";
import { size } from "../../commands/base/size.ts";
import { colour, plain, shortDigest, time, visible } from "../../commands/base/text.ts";
import { table } from "../../commands/output/table.ts";

const at = "2026-11-21T05:00:01.123Z";
const digest = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const file: FileInfo = {
  token: "7",
  label: "ram",
  size: 200 << 20,
  digest,
  seals: 0,
  preservedAt: at,
  state: "preserved",
};
const session: SessionInfo = { name: "vm1", state: "outgoing", createdAt: at, files: [file] };

Deno.test("sizes have units, times are short, digests too", () => {
  assert.deepEqual([0, 1, 1023, 1024, 200 << 20, 3 * 2 ** 30].map(size), [
    "0 B",
    "1 B",
    "1023 B",
    "1 KiB",
    "200 MiB",
    "3 GiB",
  ]);
  assert.equal(time(at), "2026-11-21 05:00:01 UTC");
  assert.equal(shortDigest(digest), "sha256:ba7816bf8f01");
  assert.equal(shortDigest(undefined), "-");
});

Deno.test("columns are aligned, and escape sequences in names do not reach the terminal", () => {
  assert.equal(table([["A", "B", "C"], ["long", "x", ""]]), "A     B  C\nlong  x");
  assert.equal(visible("a\x1b[31mb\n"), "a\\x1b[31mb\\x0a");
  assert.equal(visible("\u202etxt.exe\u2028"), "\\u202etxt.exe\\u2028");
  assert.equal(visible("日本 é 👨‍👩‍👧"), "日本 é 👨‍👩‍👧");
  assert.equal(colour("red", "x"), "\x1b[31mx\x1b[0m");
});

Deno.test("columns are aligned as a terminal shows them", async (t) => {
  const cases: [string, string, number][] = [
    ["Japanese", "日本語", 6],
    ["Korean, composed and not", "가가", 4],
    ["half-width katakana", "ｱｲ", 2],
    ["an emoji", "🚀", 2],
    ["a family: one emoji of three", "👨‍👩‍👧", 2],
    ["a flag", "🇩🇪", 2],
    ["a combining accent", "e\u0301", 1],
    ["joiners between letters", "a\u200db\u200cc", 3],
    ["an escaped zero-width space", "a\u200b", 7],
    ["an escaped control character", "\x07", 4],
  ];
  for (const [name, text, width] of cases) {
    await t.step(name, () => {
      const [wide, plain] = table([[text, "|"], ["x".repeat(10), "|"]]).split("\n");
      assert.equal(plain, `${"x".repeat(10)}  |`);
      assert.equal(wide, `${visible(text)}${" ".repeat(10 - width)}  |`);
    });
  }
});

Deno.test("a session and its files", () => {
  assert.equal(
    formatSession({ session }),
    'Session "vm1" is outgoing: 1 file, 200 MiB, created 2026-11-21 05:00:01 UTC\n' +
      "TOKEN  SIZE     STATE      DIGEST               LABEL\n" +
      "7      200 MiB  preserved  sha256:ba7816bf8f01  ram",
  );
  assert.equal(formatFiles({ session: "vm1", files: [] }), "No files");
});

Deno.test("images", () => {
  assert.equal(imageText({ loaded: false }), "No kernel loaded");
  assert.equal(imageText({ loaded: true, by: "other" }), "Kernel  loaded by another program");
  assert.match(
    imageText({ loaded: true, by: "luo", kernel: "/k", release: "7.3.4", size: 1024 }),
    /^Kernel {2}\/k \(7\.3\.4\)\nSize {4}1 KiB$/,
  );
});

Deno.test("systemd in the status: kexecs, stores by unit, and sessions that no store has", () => {
  const stores: Systemd["stores"] = [{
    unit: "luo-agent.service",
    preserve: "yes",
    room: 4096,
    entries: [{ name: "odd%3aname", kind: "session", session: "odd:name" }],
  }, {
    unit: "svc.service",
    preserve: "restart",
    entries: [{ name: "plain", kind: "memfd" }, { name: "stored", kind: "other" }, {
      name: "stored",
      kind: "other",
    }],
  }, { unit: "x.service" }];
  const systemd: Systemd = { version: "262-1", kexecCount: 1, stores, missing: ["vm2"], unknown: ["This"] };
  assert.deepEqual(systemdRows(systemd), [["systemd", "262-1, 1 kexec in a row"]]);
  assert.deepEqual(systemdRows({ unknown: [] }), [["systemd", "of an unknown version, kexecs unknown"]]);
  assert.deepEqual(systemdRows(undefined), []);
  assert.deepEqual(systemdLines(systemd, plain).join("\n").split("\n"), [
    "UNIT               IN ITS FD STORE  HOLDS               PRESERVE",
    'luo-agent.service  odd%3aname       session "odd:name"  yes',
    "svc.service        plain            a memfd             restart",
    "svc.service        -                2 other files       restart",
    "x.service          unknown          unknown             unknown",
    'Not in systemd\'s fd store: session "vm2". It ends with the agent',
    "Unknown: This",
  ]);
});

Deno.test("the status names the model and the losses", () => {
  const status: Status = {
    backend: "model",
    kernel: { release: "7.3.4", machine: "x86_64", bootId: "x", commandLine: "" },
    device: { path: "/dev/liveupdate", state: "busy", errno: "EBUSY" },
    agent: { pid: 4, version: "0.1.0", socket: "/s", startedAt: at },
    image: { loaded: false },
    sessions: [session],
    lastUpdate: {
      fromRelease: "7.2.12",
      toRelease: "7.3.4",
      at,
      count: 2,
      sessions: 1,
      files: 1,
      bytes: 1024,
    },
    losses: [{
      session: "old",
      state: "retrieved",
      files: [{ token: "1", size: 5 }],
      reason: "the agent was killed",
      at,
    }],
  };
  const text = statusText(status, plain);
  const expected = [
    /software model/,
    /liveupdate busy \(EBUSY\)/,
    /from 7\.2\.12 to 7\.3\.4 with 1 session, 1 file, 1 KiB \(2 in a row\)/,
    /^Lost: session "old" \(retrieved\), 1 file, 5 B: the agent was killed/m,
    /^vm1 +outgoing/m,
  ];
  for (const words of expected) assert.match(text, words);
});

Deno.test("the status under systemd: the fd store, sessions that systemd did not bring, and what a reboot does", () => {
  const status: Status = {
    backend: "linux",
    kernel: { release: "7.3.4", machine: "x86_64", bootId: "x", commandLine: "" },
    device: { path: "/dev/liveupdate", state: "ready", seenAt: at },
    agent: { pid: 4, version: "0.1.0", socket: "/s", startedAt: at, store: { room: 64, used: 3 } },
    image: { loaded: true, by: "luo", kernel: "/k" },
    sessions: [session, { ...session, name: "o", state: "incoming", found: "orphaned" }],
    losses: [],
  };
  const text = statusText(status, plain);
  assert.match(text, /^Device +\/dev\/liveupdate ready, last used /m);
  assert.match(text, /^Store +systemd's fd store, 3 of 64 entries$/m);
  assert.match(text, /^Orphaned: session "o": .*waits in the kernel$/m);
  assert.match(text, /^systemctl reboot goes into the loaded kernel/m);
  assert.doesNotMatch(statusText({ ...status, image: { loaded: false } }, plain), /reboot/);
  assert.doesNotMatch(statusText({ ...status, sessions: [] }, plain), /reboot/);
  assert.doesNotMatch(statusText({ ...status, backend: "model" }, plain), /reboot/);
});

Deno.test("what a plain reboot does with a loaded image is said in one line, with the way out", () => {
  const status: Status = {
    backend: "linux",
    kernel: { release: "7.3.4", machine: "x86_64", bootId: "x", commandLine: "" },
    device: { path: "/dev/liveupdate", state: "ready" },
    agent: { pid: 4, version: "0.1.0", socket: "/s", startedAt: at, store: { room: 64, used: 3 } },
    image: { loaded: true, by: "luo", kernel: "/k" },
    sessions: [session],
    losses: [],
  };
  const cases: readonly [what: string, status: Status, line: RegExp][] = [
    ["a fd store", status, /into the loaded kernel, with the sessions; .*: luo kexec unload$/],
    [
      "no fd store",
      { ...status, agent: { ...status.agent, store: undefined } },
      /can lose the sessions.*: luo kexec exec$/,
    ],
    [
      "an image of another program",
      { ...status, image: { loaded: true, by: "other" } },
      /luo did not load.*unload$/,
    ],
  ];
  for (const [what, status, line] of cases) {
    const [text, ...more] = rebootLines(status);
    assert.match(text ?? "", line, what);
    assert.ok((text ?? "").length + "luo: ".length <= 120, what);
    assert.deepEqual(more, []);
  }
});

Deno.test("every hint is for an errno that exists", () => {
  for (const key of HINT_KEYS) assert.ok(Object.keys(Errno).includes(key.split(" ").at(-1) ?? ""), key);
  assert.notDeepEqual(hintsFor("open", "EBUSY"), hintsFor("preserve", "EBUSY"));
  assert.deepEqual(hintsFor("open", "EXDEV"), []);
});

Deno.test("progress shows part and speed; without a total only bytes and speed", () => {
  const half = `Copying [${"#".repeat(15)}${" ".repeat(15)}]  50%  512 MiB of 1 GiB, 256 MiB/s`;
  assert.equal(progressLine("Copying", 512 << 20, 2000, 1n << 30n), half);
  assert.equal(progressLine("Copying", 1 << 20, 1000), "Copying 1 MiB, 1 MiB/s");
  assert.match(progressLine("Copying", 20, 1000, 10), /\] 100% /);
});

Deno.test("progress shows nothing without a terminal, and nothing for short work", () => {
  let shown = "";
  for (const stderrIsTerminal of [false, true]) {
    const stream = { write: (text: string) => void (shown += text) };
    const context = {
      process: { stdout: stream, stderr: stream },
      settings: {},
      mainModule: "",
      stdoutIsTerminal: false,
      stderrIsTerminal,
      paint: plain,
    };
    using progress = new Progress(context, "Copying", 10);
    progress.advance(5);
  }
  assert.equal(shown, "");
});
