/** The access rules as text: what a rule is, and which line of a bad file is named. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { readAccessFile } from "../../lib/access/access_file.ts";
import { BadAccessRule, parseAccessRules, parseAccounts } from "../../lib/access/access_rules.ts";
import { LuoError } from "../../lib/error.ts";

const accounts = {
  users: parseAccounts("root:x:0:0::/root:/bin/sh\nqemu:x:107:36::/:/bin/false\nbroken\n:x:3::\nbad:x:x:\n"),
  groups: parseAccounts("kvm:x:36:qemu\nnogroup:x:65534:\n"),
};

const rule = (text: string) => parseAccessRules(text, accounts);
const defaults = { sessions: 64, files: 1024 };

Deno.test("access rules: users and groups, by name or number, with names of sessions and limits", () => {
  const text = [
    "# who may hand over",
    "",
    "user qemu vm-*   # machines",
    "\tgid\t107  db sessions=4 files=16",
    "group kvm *",
    "uid 4294967294 x",
  ].join("\n");
  assert.deepEqual(rule(text), [
    { who: "uid", id: 107, name: "vm-", prefix: true, ...defaults },
    { who: "gid", id: 107, name: "db", prefix: false, sessions: 4, files: 16 },
    { who: "gid", id: 36, name: "", prefix: true, ...defaults },
    { who: "uid", id: 4294967294, name: "x", prefix: false, ...defaults },
  ]);
  assert.deepEqual(rule(""), []);
});

const bad: [line: string, words: RegExp][] = [
  ["allow qemu vm-*", /begins with user, uid, group or gid, not "allow"/],
  ["User qemu vm-*", /not "User"/],
  ["user qemu", /three words/],
  ["user", /three words/],
  ["user nosuch vm-*", /user "nosuch" is not in \/etc\/passwd/],
  ["group nosuch vm-*", /group "nosuch" is not in \/etc\/group/],
  ["user bad vm-*", /not in/],
  ["uid qemu vm-*", /a uid is a number/],
  ["uid -1 vm-*", /a uid is a number/],
  ["uid 4294967295 vm-*", /a uid is a number/],
  ["gid 65534 vm-*", /every stranger/],
  ["group nogroup vm-*", /every stranger/],
  ["uid 5 vm-*-x", /not at its end/],
  ["uid 5 *vm", /not at its end/],
  [`uid 5 ${"ä".repeat(32)}*`, /63 bytes/],
  ["uid 5 vm-* sessions=", /no limit/],
  ["uid 5 vm-* memory=1G", /no limit/],
  ["uid 5 vm-* files=9999999", /no limit/],
];
for (const [line, words] of bad) {
  Deno.test(`access rules: "${line}" is refused, with the number of the line`, () => {
    assert.throws(() => rule(`# first\nuid 1 a\n${line}\nuid 2 b`), (error) => {
      assert.ok(error instanceof BadAccessRule);
      assert.equal(error.line, 3);
      assert.match(error.problem, words);
      return true;
    });
  });
}

Deno.test("access rules: any text is rules, or a line that is none", () => {
  const word = fc.constantFrom(
    "user",
    "uid",
    "group",
    "gid",
    "qemu",
    "107",
    "vm-*",
    "*",
    "files=3",
    "#",
    "\t",
    "x",
    "",
  );
  const line = fc.oneof(fc.array(word, { maxLength: 6 }).map((words) => words.join(" ")), fc.string());
  fc.assert(fc.property(fc.array(line, { maxLength: 4 }).map((lines) => lines.join("\n")), (text) => {
    try {
      for (const { id, sessions, files } of rule(text)) {
        assert.ok(id >= 0 && id < 2 ** 32 - 1 && id !== 65534);
        assert.ok(sessions >= 0 && files >= 0);
      }
    } catch (error) {
      assert.ok(error instanceof BadAccessRule, String(error));
    }
  }));
});

Deno.test("access rules: a file that others could have written is not read", async (t) => {
  const directory = Deno.makeTempDirSync();
  const file = `${directory}/access.conf`;
  Deno.writeTextFileSync(file, "uid 5 vm-*\n");
  const refused = (words: RegExp, path = file) =>
    assert.throws(() => readAccessFile(path), (error) => {
      assert.ok(error instanceof LuoError && error.operation === "configure");
      assert.match(error.message, words);
      return true;
    });
  Deno.chmodSync(file, 0o644);
  await t.step("0644", () => assert.equal(readAccessFile(file).length, 1));
  for (const mode of [0o664, 0o646, 0o622]) {
    Deno.chmodSync(file, mode);
    await t.step(mode.toString(8), () => refused(/others? users may write it|other users may write it/));
  }
  Deno.chmodSync(file, 0o600);
  await t.step("no file", () => refused(/ENOENT/, `${directory}/none`));
  await t.step("a directory", () => refused(/no regular file/, directory));
  Deno.writeTextFileSync(file, "uid 5\n");
  await t.step("a bad line", () => refused(/access.conf", line 1: a rule has three words/));
  if (Deno.uid() === 0) {
    Deno.chownSync(file, 1234, 0);
    await t.step("another user's", () => refused(/belongs to uid 1234/));
  }
  Deno.removeSync(directory, { recursive: true });
});
