/** Command lines without a process: help, completion, the manual page, usage errors, exit codes. */
import assert from "node:assert/strict";
import { runLine } from "../../commands/program/application.ts";
import { completionScript, SHELLS } from "../../commands/help/completion_script.ts";
import type { Outside } from "../../commands/base/context.ts";
import { EXIT, EXIT_MEANING } from "../../commands/base/exit_codes.ts";
import { Failure, failureJson, type FailureKind, renderFailure } from "../../commands/errors/failure.ts";
import { manPages } from "../../commands/help/man_page.ts";
import { listing, nearest } from "../../commands/errors/nearest.ts";
import { Errno } from "../../ffi/abi/errno.ts";
import { AgentProtocolError } from "../../lib/agent/client.ts";
import { LuoError } from "../../lib/error.ts";
import { toFailure } from "../../commands/errors/to_failure.ts";
import { Cli } from "./cli.ts";
import { COMMAND_FILES } from "../../commands/program/route_to.ts";
import { routes } from "../../commands/program/routes.ts";
import { routeTree } from "../../commands/help/route_tree.ts";
import { PERMISSIONS } from "../../commands/processes/own_command.ts";
import { plain } from "../../commands/base/text.ts";

/** Runs a command line that needs no agent, without a process. */
async function luo(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ["", ""];
  const process: Outside["process"] = {
    stdout: { write: (text) => void (out += text) },
    stderr: { write: (text) => void (err += text) },
  };
  const context = {
    process,
    settings: {},
    mainModule: "",
    stdoutIsTerminal: false,
    stderrIsTerminal: false,
    paint: plain,
  };
  const code = await runLine(args, context);
  return { code, out, err };
}

Deno.test("every exit code has a meaning and every kind of failure an exit code", () => {
  assert.deepEqual(EXIT_MEANING.map(([code]) => code), Object.values(EXIT));
  const table: [FailureKind, number][] = [
    ["usage", 2],
    ["bad-request", 2],
    ["kernel-error", 1],
    ["file-error", 1],
    ["no-such-session", 1],
    ["no-such-file", 1],
    ["wrong-state", 1],
    ["digest-mismatch", 1],
    ["internal", 1],
    ["unavailable", 3],
    ["refused", 4],
    ["interrupted", 130],
    ["broken-pipe", 141],
  ];
  for (const [kind, code] of table) assert.equal(new Failure(kind, "x").exit, code, kind);
});

Deno.test("an error is a sentence and its hints, or one line of JSON", () => {
  const failure = new Failure("kernel-error", "Cannot x", {
    operation: "preserve",
    errno: "EBUSY",
    hints: ["do y"],
  });
  assert.equal(renderFailure(failure), "luo: Cannot x\n  do y");
  const expected = {
    kind: "kernel-error",
    message: "Cannot x",
    exit: 1,
    operation: "preserve",
    errno: "EBUSY",
    hints: ["do y"],
  };
  assert.deepEqual(JSON.parse(failureJson(failure)), { error: expected });
});

Deno.test("wrong command lines: exit 2, a hint, nothing on stdout", async (t) => {
  const cases: [string[], RegExp][] = [
    [["sesion"], /did you mean "session"\?/],
    [["session", "craete", "x"], /did you mean "create"\?/],
    [["constructor"], /Cannot find command "constructor"/],
    [["frobnicate"], /Cannot find command "frobnicate"\n {2}list the commands/],
    [["status", "--frobnicate"], /Cannot find option "--frobnicate"\n$/],
    [["--backend", "model", "status"], /options go after the command: luo status --backend/],
    [["help", "nonsense"], /Cannot find command "nonsense"/],
    [["session", "--all"], /a command between "session" and "--all"\n.*luo session create\|list/],
    [["session", "nonsense"], /luo session --help/],
    [["status", "-x"], /Cannot find option "-x"\n$/],
    [["put", "key", "-abc"], /"-a"\n {2}an argument that begins with - goes after --/],
    [["status", "--watch=perhaps"], /"perhaps" for --watch: it is a switch/],
    [["session", "finish", "vm1", "--force="], /"" for --force: it is a switch/],
    [["session", "finish", "vm1", "--frce="], /Cannot find option "--frce"/],
    [["file", "preserve", "vm1", "--stdin", "--token="], /Cannot use "" for --token/],
    [["session", "create"], /without SESSION/],
    [["session", "create", "a", "b"], /too many arguments/],
    [["session", "create", ""], /must not be empty/],
    [["file", "preserve", "vm1", "--stdin"], /value for --token/],
    [["file", "preserve", "vm1", "--stdin", "--tokn", "7"], /did you mean --token\?/],
    [["file", "preserve", "vm1", "--stdin", "--token", "-1"], /token is a whole number/],
    [["file", "preserve", "vm1", "--token", "7"], /exactly one of/],
    [["file", "restore", "vm1", "7"], /exactly one of/],
    [["kexec", "load", "k", "--reuse-cmdline", "--command-line", "x"], /--append/],
    [["status", "--backend", "vax"], /one of linux, model/],
    [["status", "--socket", "relative", "--backend", "linux"], /absolute path/],
    [["completion", "tcsh"], /bash, zsh, fish/],
  ];
  for (const [args, words] of cases) {
    await t.step(args.join(" "), async () => {
      const { code, out, err } = await luo(...args);
      assert.equal(code, EXIT.usage);
      assert.equal(out, "");
      assert.match(err, words);
    });
  }
});

Deno.test("with --json a usage error is one line of JSON, also when more than one thing is wrong", async () => {
  for (const json of ["--json", "--json=true"]) {
    const { err } = await luo("session", "create", "--timeout", "soon", json);
    assert.equal(JSON.parse(err).error.kind, "usage");
  }
});

Deno.test("luo help COMMAND is luo COMMAND --help", async () => {
  for (const words of [[], ["session"], ["file", "restore"]]) {
    const { code, out } = await luo("help", ...words);
    assert.equal(code, 0);
    assert.equal(out, (await luo(...words, "--help")).out);
  }
});

Deno.test("every command has help with an example that is its own", async (t) => {
  const { commands } = routeTree(routes);
  for (const { path } of commands) {
    await t.step(path.join(" "), async () => {
      const { code, out } = await luo(...path, "--help");
      assert.equal(code, 0);
      assert.ok(out.split("EXAMPLES")[1]?.includes(`luo ${path.join(" ")}`), out);
    });
  }
});

Deno.test("all shells and the manual page know every command and flag", () => {
  const tree = routeTree(routes);
  const texts = [
    ...SHELLS.map((shell) => completionScript(shell, tree)),
    manPages(tree).map(({ text }) => text).join("\n").replaceAll("\\-", "-"),
  ];
  for (const text of texts) {
    for (const { path, flags } of tree.commands) {
      for (const word of path) assert.ok(text.includes(word), word);
      for (const { name } of flags) assert.ok(text.includes(name), name);
    }
  }
});

Deno.test("a near name is suggested, a far one is not", () => {
  assert.equal(nearest("wm1", ["vm1", "cache"]), "vm1");
  assert.equal(nearest("cahce", ["vm2", "cache"]), "cache");
  assert.equal(nearest("database", ["vm2", "cache"]), undefined);
  assert.equal(nearest("x", []), undefined);
  assert.equal(nearest("u", ["s"]), undefined);
});

Deno.test("an option or value that is not near is not suggested", async () => {
  await using cli = new Cli();
  for (const args of [["status", "--foo"], ["status", "--backend", "foo"]]) {
    const { code, err } = await cli.luo(args);
    assert.equal(code, 2, err);
    assert.doesNotMatch(err, /did you mean/, args.join(" "));
  }
  await cli.fails(2, /did you mean --json/, ["status", "--jsn"]);
});

Deno.test("a name with other digits is no slip", () => {
  for (
    const [name, known] of [["vm2", "vm1"], ["8", "7"], ["node-10", "node-1"], ["vm12", "vm21"]] as const
  ) {
    assert.equal(nearest(name, [known]), undefined, name);
  }
});

Deno.test("lists are cut at ten, with a count", () => {
  const names = Array.from({ length: 13 }, (_, i) => `s${i}`);
  assert.equal(listing("sessions", names.slice(0, 2), "none"), "sessions: s0, s1");
  assert.match(listing("sessions", names, "none"), /^sessions: s0, .*, s9 and 3 more$/);
  assert.equal(listing("sessions", [], "there are none"), "there are none");
  const failure = new Failure("refused", "Cannot x", { reasons: names, hints: ["y"] });
  assert.match(renderFailure(failure), /\n {2}s9\n {2}.*3 more.*\n {2}y$/);
});

Deno.test("every command is found without loading the others", () => {
  const typed = routeTree(routes).commands.map(({ path }) => path.join(" "));
  assert.deepEqual(Object.keys(COMMAND_FILES).sort(), typed.sort());
});

Deno.test("luo starts itself with the permissions of the task", () => {
  const config = JSON.parse(Deno.readTextFileSync(new URL("../../deno.json", import.meta.url)));
  for (const permission of PERMISSIONS) assert.ok(config.tasks.luo.includes(permission), permission);
});

Deno.test("control characters in names are escaped in errors", () => {
  const failure = new Failure("refused", 'Cannot "\x1b[31m"', {
    reasons: ['session "a\nb"'],
    hints: ["\x07"],
  });
  assert.equal(renderFailure(failure), 'luo: Cannot "\\x1b[31m"\n  session "a\\x0ab"\n  \\x07');
});

Deno.test("an agent of an earlier version: the error names what it does not know", async (t) => {
  const cases: [answer: string, message: string][] = [
    [
      'MethodNotFound {"method":"io.luo.Agent.GetValue"}',
      "it does not know the method io.luo.Agent.GetValue",
    ],
    ['InvalidParameter {"parameter":"keep"}', "it does not know the parameter keep"],
    ["NotImplemented {}", "The agent answers org.varlink.service.NotImplemented {}"],
  ];
  for (const [answer, message] of cases) {
    await t.step(answer, () => {
      const failure = toFailure(new AgentProtocolError(`The agent answers org.varlink.service.${answer}`));
      assert.deepEqual([failure.exit, failure.message], [3, `Cannot talk to the agent: ${message}`]);
    });
  }
});

Deno.test("a place that is read-only: the way out is another one", () => {
  const failure = toFailure(new LuoError("open", '"/run/luo/agent.sock.start"', Errno.EROFS));
  assert.match(renderFailure(failure), /\(EROFS\)\n {2}.* use another with --socket$/);
});
