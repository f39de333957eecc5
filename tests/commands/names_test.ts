/** One name means one session, and names that belong to others stay theirs. */
import assert from "node:assert/strict";
import { connectAgent } from "../../lib/agent/client.ts";
import { AgentError } from "../../lib/agent/client.ts";
import type { SessionInfo } from "../../lib/agent/protocol.ts";
import { Cli } from "./cli.ts";
import { foreignSession, machineProcess } from "./foreign_session.ts";

/** The effect of every verb on the name "s" of a session that was handed over, by the session's state. */
const verbs: { args: string[]; incoming: [number, RegExp]; retrieved: [number, RegExp] }[] = [
  {
    args: ["session", "show", "s"],
    incoming: [0, /is incoming: 1 file/],
    retrieved: [0, /is retrieved: 1 file/],
  },
  { args: ["file", "list", "s"], incoming: [0, /^7 +2 B/m], retrieved: [0, /^7 +2 B/m] },
  {
    args: ["session", "create", "s"],
    incoming: [1, /Cannot create session "s": [^]*luo session retrieve s\n.*another name/],
    retrieved: [1, /Cannot create session "s": [^]*luo session finish s\n.*another name/],
  },
  {
    args: ["file", "preserve", "s", "--from", "in", "--token", "8"],
    incoming: [1, /it is incoming\n.*luo session create NAME/],
    retrieved: [1, /it is retrieved\n.*luo session create NAME/],
  },
  {
    args: ["session", "close", "s"],
    incoming: [
      1,
      /Cannot close session "s": it was handed over and has not been retrieved[^]*luo session retrieve s/,
    ],
    retrieved: [4, /Cannot close session "s": [^]*file 7 was never restored/],
  },
  {
    args: ["session", "finish", "s"],
    incoming: [1, /has not been retrieved[^]*luo session retrieve s/],
    retrieved: [4, /Cannot finish session "s": [^]*file 7 was never restored/],
  },
  {
    args: ["file", "restore", "s", "7", "--stdout"],
    incoming: [1, /has not been retrieved[^]*luo session retrieve s/],
    retrieved: [0, /^in$/],
  },
];

Deno.test("one name, one session: every verb means the session that was handed over", async (t) => {
  await using cli = new Cli();
  await cli.ok(["session", "create", "s"]);
  await cli.ok(["file", "preserve", "s", "--from", cli.file("in", "in"), "--token", "7"]);
  await cli.kexec();
  for (const state of ["incoming", "retrieved"] as const) {
    if (state === "retrieved") await cli.ok(["session", "retrieve", "s"]);
    for (const { args, ...expected } of verbs) {
      await t.step(`${state}: luo ${args.join(" ")}`, async () => {
        const { code, out, err } = await cli.luo(args);
        const [exit, words] = expected[state];
        assert.deepEqual([code, words.test(code === 0 ? out : err)], [exit, true], `${out}${err}`);
        const { sessions } = await cli.json<{ sessions: SessionInfo[] }>(["session", "list"]);
        assert.deepEqual(sessions.map(({ name, state }) => [name, state]), [["s", state]]);
      });
    }
    await t.step(`${state}: CreateSession over Varlink`, () => {
      using client = connectAgent(cli.socket);
      assert.throws(
        () => client.call("CreateSession", { name: "s" }),
        (error) => error instanceof AgentError && error.is("WrongState") && error.parameters.state === state,
      );
    });
  }
  await t.step(
    "retrieved: a second retrieve",
    () =>
      cli.fails(1, /the agent has retrieved it already[^]*luo session finish s/, [
        "session",
        "retrieve",
        "s",
      ]),
  );
  await cli.ok(["session", "finish", "s"]);
  await t.step("finished: the name is free", async () => void await cli.ok(["session", "create", "s"]));
});

Deno.test("one name, one session: the agent does not retrieve a name that an outgoing session has", async () => {
  await using cli = new Cli();
  await cli.ok(["status"]);
  using sys = machineProcess(cli);
  await foreignSession(cli, sys, "s", { "5": "hello" });
  await cli.kexec();
  await cli.ok(["session", "create", "s"]);
  await cli.fails(1, /handed over no session of that name[^]*luo session close s/, [
    "session",
    "retrieve",
    "s",
  ]);
  await cli.ok(["session", "close", "s"]);
  await cli.ok(["session", "retrieve", "s"]);
  await cli.ok(["file", "restore", "s", "5", "--to", "out"]);
  assert.equal(Deno.readTextFileSync(cli.path("out")), "hello");
});

Deno.test("the session of systemd: luo creates none, and retrieves it by force only", async (t) => {
  await using cli = new Cli();
  const expected = /session "systemd" is systemd's own/;
  await t.step("create", () => cli.fails(2, expected, ["session", "create", "systemd"]));
  using sys = machineProcess(cli);
  await foreignSession(cli, sys, "systemd", { "0": "{}" });
  await cli.kexec();
  await t.step(
    "retrieve",
    () =>
      cli.fails(4, /PID 1[^]*leave the session to systemd\n.*--force$/m, ["session", "retrieve", "systemd"]),
  );
  await t.step("retrieve by force", async () => {
    await cli.ok(["session", "retrieve", "systemd", "--force"]);
    await cli.ok(["file", "restore", "systemd", "0", "--to", "out"]);
    assert.equal(Deno.readTextFileSync(cli.path("out")), "{}");
  });
  await t.step(
    "other names that begin like it",
    async () => void await cli.ok(["session", "create", "systemd-2"]),
  );
});

Deno.test("a name that looks like a flag: the hint that is shown can be typed as it is", async () => {
  await using cli = new Cli();
  const follow = async (args: string[], start: string) => {
    const { err } = await cli.luo(args);
    const command =
      err.split("\n").flatMap((line) => line.split(start).slice(1).map((rest) => start + rest))[0];
    assert.ok(command, err);
    const { code, err: wrong } = await cli.shell(command.replace("FILE", "out"));
    assert.equal(code, 0, `${command}: ${wrong}`);
  };
  await cli.ok(["session", "create", "--", "-x"]);
  const preserve = ["file", "preserve", "--from", cli.file("in", "in"), "--token", "7", "--", "-x"];
  await cli.ok(preserve);
  await follow(preserve, "luo file list");
  await cli.kexec();
  await follow(["session", "finish", "--", "-x"], "luo session retrieve");
  await follow(["session", "finish", "--", "-x"], "luo file restore");
  assert.equal(Deno.readTextFileSync(cli.path("out")), "in");
  await follow(["session", "create", "--", "-x"], "luo session finish");
});

Deno.test("the hint for a token that is in use names the session", async () => {
  await using cli = new Cli();
  await cli.ok(["session", "create", "it's $&"]);
  const preserve = ["file", "preserve", "it's $&", "--from", cli.file("in", "in"), "--token", "7"];
  await cli.ok(preserve);
  await cli.fails(1, /luo file list 'it'\\''s \$&'\n/, preserve);
});
