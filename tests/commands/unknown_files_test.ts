/** A session that another program created: luo calls its files unknown, loses none of them, and counts those it has seen. */
import assert from "node:assert/strict";
import type { Status } from "../../lib/agent/protocol.ts";
import { Cli } from "./cli.ts";
import { foreignSession, machineProcess } from "./foreign_session.ts";

/** A machine after a kexec, with a session "s" of another program. */
async function handedOver(cli: Cli, files: Readonly<Record<string, string>>): Promise<void> {
  await cli.ok(["status"]);
  using sys = machineProcess(cli);
  await foreignSession(cli, sys, "s", files);
  await cli.kexec();
}

Deno.test("files unknown: said in text and JSON, and everything that would lose them is refused", async (t) => {
  await using cli = new Cli();
  await handedOver(cli, { "5": "hello" });
  assert.equal(await cli.ok(["session", "retrieve", "s"]), 'Session "s" retrieved: files unknown\n');
  const texts: [RegExp, string[]][] = [
    [/^s +retrieved +unknown +unknown +unknown$/m, ["session", "list"]],
    [/^Session "s" is retrieved: files unknown$/m, ["session", "show", "s"]],
    [/^Files unknown$/m, ["file", "list", "s"]],
    [/^s +retrieved +unknown/m, ["status"]],
  ];
  for (const [words, args] of texts) {
    await t.step(args.join(" "), async () => assert.match(await cli.ok(args), words));
  }
  await t.step("JSON", async () => {
    const { session } = await cli.json<{ session: object }>(["session", "show", "s"]);
    assert.deepEqual({ ...session, createdAt: "" }, {
      name: "s",
      state: "retrieved",
      createdAt: "",
      files: [],
      filesKnown: false,
    });
    assert.deepEqual(await cli.json(["file", "list", "s"]), { session: "s", files: [], filesKnown: false });
  });
  await cli.ok(["kexec", "load", cli.kernel, "--command-line", "liveupdate=on kho=on"]);
  const refused: [RegExp, string[]][] = [
    [/files are unknown[^]*luo file restore s TOKEN --to FILE\n.*--force$/m, ["session", "finish", "s"]],
    [/files are unknown[^]*luo file restore s TOKEN --to FILE\n.*--force$/m, ["session", "close", "s"]],
    [/session "s" is retrieved/, ["kexec", "exec"]],
    [/"s" \(retrieved, files unknown\)/, ["agent", "stop"]],
  ];
  for (const [words, args] of refused) await t.step(args.join(" "), () => cli.fails(4, words, args));
  assert.equal(
    await cli.ok(["session", "finish", "s", "--force"]),
    'Session "s" finished: files unknown\n',
  );
});

Deno.test("files unknown: the kernel is asked for a token that is not recorded, and the file is counted", async (t) => {
  await using cli = new Cli();
  await handedOver(cli, { "5": "hello", "6": "good bye" });
  await cli.ok(["session", "retrieve", "s"]);
  await t.step("a token that the kernel does not know", async () => {
    await cli.fails(1, /file 9 in session "s"\n {2}luo knows of no files/, [
      "file",
      "restore",
      "s",
      "9",
      "--to",
      "out",
    ]);
    assert.deepEqual(await cli.json(["file", "list", "s"]), { session: "s", files: [], filesKnown: false });
  });
  await cli.ok(["file", "restore", "s", "5", "--to", "out"]);
  assert.equal(Deno.readTextFileSync(cli.path("out")), "hello");
  assert.match(await cli.ok(["session", "show", "s"]), /is retrieved: files unknown, seen: 1 file, 5 B\n/);
  assert.match(await cli.ok(["session", "list"]), /^s +retrieved +1\+ +5 B\+/m);
  assert.match(await cli.ok(["file", "list", "s"]), /^5 +5 B +[^]*There may be more files$/m);
  await t.step(
    "one file is restored, and another may be there",
    () => cli.fails(4, /files are unknown/, ["session", "finish", "s"]),
  );
  await t.step("a file that was not restored is named by its token", async () => {
    await cli.luo(["file", "restore", "s", "6", "--exec", "--", "no-such-command"]);
    await cli.fails(4, /file 6 was never restored/, ["session", "finish", "s"]);
  });
  await t.step(
    "a stopped agent loses what was seen and not restored, and says that there may be more",
    async () => {
      // A machine without any process would be switched off.
      using _ = machineProcess(cli);
      await cli.ok(["agent", "stop", "--force"]);
      const { status } = await cli.json<{ status: Status }>(["status"]);
      const [loss] = status.losses;
      assert.deepEqual([loss?.session, loss?.filesKnown, loss?.files], ["s", false, [{
        token: "6",
        size: 8,
      }]]);
      assert.match(
        await cli.ok(["status"]),
        /^Lost: session "s" \(retrieved\), files unknown, seen: 1 file, 8 B/m,
      );
    },
  );
});
