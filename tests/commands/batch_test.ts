/** `luo batch`: answers in order, errors of one line only, what is refused, and one connection for all of it. */
import assert from "node:assert/strict";
import { lines } from "../../commands/processes/input_lines.ts";
import { Cli, type Outcome } from "./cli.ts";

interface Answer {
  readonly id?: number | string;
  readonly exit: number;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly kind: string; readonly message: string };
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

async function batch(
  cli: Cli,
  requests: readonly (object | string)[],
  ...flags: string[]
): Promise<Outcome & { answers: Answer[] }> {
  const text = requests.map((one) => typeof one === "string" ? one : JSON.stringify(one)).join("\n");
  const outcome = await cli.luo(["batch", "--json", ...flags], { stdin: bytes(text) });
  return { ...outcome, answers: outcome.out.split("\n").filter(Boolean).map((line) => JSON.parse(line)) };
}

/** The end of each answer: `ID EXIT KIND`. */
function ends(answers: readonly Answer[]): string[] {
  return answers.map(({ id, exit, error }) => `${id ?? "-"} ${exit} ${error?.kind ?? "ok"}`);
}

Deno.test("batch: a live update, each command as it is typed, answers as with --json", async () => {
  await using cli = new Cli();
  const { code, err, answers } = await batch(cli, [
    { id: 1, argv: ["session", "create", "vm1"] },
    { id: 2, argv: ["file", "preserve", "vm1", "--from", cli.kernel, "--token", "7", "--digest"] },
    { id: "load", argv: ["kexec", "load", cli.kernel, "--command-line", "liveupdate=on kho=on"] },
    { id: "exec", argv: ["kexec", "exec"] },
    { id: 5, argv: ["session", "retrieve", "vm1"] },
    { id: 6, argv: ["file", "restore", "vm1", "7", "--to", "out"] },
    { argv: ["session", "finish", "vm1"] },
    { id: 8, argv: ["session", "list", "--json"] },
  ]);
  assert.deepEqual([code, err], [0, ""]);
  assert.deepEqual(ends(answers), [
    "1 0 ok",
    "2 0 ok",
    "load 0 ok",
    "exec 0 ok",
    "5 0 ok",
    "6 0 ok",
    "- 0 ok",
    "8 0 ok",
  ]);
  assert.deepEqual(answers.at(-1)?.result, { sessions: [] });
  assert.deepEqual(Deno.readFileSync(cli.path("out")), Deno.readFileSync(cli.kernel));
});

Deno.test("batch: a line that fails is that line's error only", async () => {
  await using cli = new Cli();
  const requests = [
    "not JSON",
    "[1]",
    { id: 3 },
    { id: 4, argv: [] },
    { id: 5, argv: ["session", 1] },
    { id: 6, argv: ["session", "create", "vm1"], extra: true },
    { id: [7], argv: ["session", "list"] },
    "",
    { id: 9, argv: ["nonsense"] },
    { id: 10, argv: ["session", "create"] },
    { id: 11, argv: ["session", "show", "none"] },
    { id: 12, argv: ["session", "--help"] },
    { id: 13, argv: ["session"] },
    { id: 14, argv: ["session", "show", "--timeout=soon"] },
    { id: 15, argv: ["kexec", "load", "a\0b"] },
    { id: 16, argv: ["session", "list"] },
  ];
  const { code, answers } = await batch(cli, requests);
  assert.equal(code, 1);
  assert.deepEqual(ends(answers), [
    "- 2 usage",
    "- 2 usage",
    "3 2 usage",
    "4 2 usage",
    "5 2 usage",
    "6 2 usage",
    "- 2 usage",
    "9 2 usage",
    "10 2 usage",
    "11 1 no-such-session",
    "12 2 usage",
    "13 2 usage",
    "14 2 usage",
    "15 2 usage",
    "16 0 ok",
  ]);
  assert.match(answers[6]?.error?.message ?? "", /^Cannot take line 7 as a request: "id" /);
  assert.match(answers.at(-4)?.error?.message ?? "", /a command between "session" and/);
  assert.deepEqual(answers.at(-1)?.result, { sessions: [] }, "a malformed request did something");
});

Deno.test("batch: bytes that are not UTF-8 name no other session", async () => {
  await using cli = new Cli();
  const line = bytes('{"argv":["session","create","a?"]}\n');
  line[line.indexOf("?".charCodeAt(0))] = 0xff;
  const { out } = await cli.luo(["batch"], { stdin: line });
  assert.match(JSON.parse(out).error.message, /line 1 .* not UTF-8/);
  const { answers } = await batch(cli, [{ argv: ["session", "create", "\ufffd"] }]);
  assert.equal(answers[0]?.exit, 0);
});

Deno.test("batch: commands with a stream or a terminal of their own are refused", async () => {
  await using cli = new Cli();
  const apart = [
    ["file", "preserve", "vm1", "--stdin", "--token", "1"],
    ["file", "restore", "vm1", "1", "--stdout"],
    ["file", "restore", "vm1", "1", "--exec", "--", "cat"],
    ["status", "--watch"],
    ["agent", "run"],
    ["machine", "run"],
    ["emulate", "true"],
    ["rehearse", "image"],
    ["batch"],
  ];
  const { answers } = await batch(cli, apart.map((argv) => ({ argv })));
  for (const [index, { exit, error }] of answers.entries()) {
    assert.equal(exit, 2);
    assert.match(error?.message ?? "", /^Cannot take ".*" in a batch: /, `${apart[index]}`);
  }
  assert.equal(answers.length, apart.length);
});

Deno.test("batch: a put without its value is refused, and takes no request for one", async () => {
  await using cli = new Cli();
  const requests = [["put", "a", "old"], ["put", "a"], ["put", "b", ""], ["get", "a"]];
  const { answers } = await batch(cli, requests.map((argv) => ({ argv })));
  assert.deepEqual(answers.map(({ exit }) => exit), [0, 2, 0, 0]);
  assert.match(answers[1]?.error?.message ?? "", /^Cannot put "a" without its value in a batch/);
  assert.equal(answers[3]?.result?.text, "old");
});

Deno.test("batch: --fail-fast stops after the first that fails", async () => {
  await using cli = new Cli();
  const requests = ["a", "a", "b"].map((name) => ({ id: name, argv: ["session", "create", name] }));
  const { code, answers } = await batch(cli, requests, "--fail-fast");
  assert.equal(code, 1);
  assert.deepEqual(ends(answers), ["a 0 ok", "a 1 kernel-error"]);
  assert.deepEqual(
    (await cli.json<{ sessions: { name: string }[] }>(["session", "list"])).sessions.map(({ name }) => name),
    ["a"],
  );
});

Deno.test("batch: --socket and --backend count for all, and a command may name others", async () => {
  await using cli = new Cli();
  const stdin = bytes('{"argv":["session","create","a"]}\n{"argv":["status","--backend","linux"]}\n');
  const env = { LUO_BACKEND: "", LUO_SOCKET: "" };
  const { out } = await cli.luo(["batch", "--backend", "model", "--socket", cli.socket], { stdin, env });
  const answers: Answer[] = out.trim().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(ends(answers), ["- 0 ok", "- 3 unavailable"]);
});

Deno.test("batch: each answer comes before the next request is read, and the connection is one", async () => {
  await using cli = new Cli();
  await cli.ok(["agent", "start"]);
  const [command = "", ...args] = [...cli.commandLine, "batch"];
  const child = new Deno.Command(command, { args, env: cli.env, stdin: "piped", stdout: "piped" }).spawn();
  const [agent] = cli.processes("agent");
  const sockets = () =>
    Array.from(Deno.readDirSync(`/proc/${agent}/fd`)).flatMap(({ name }) => {
      try {
        const target = Deno.readLinkSync(`/proc/${agent}/fd/${name}`);
        return target.startsWith("socket:") ? [target] : [];
      } catch {
        return []; // A file that the agent had open for a moment.
      }
    }).sort();
  const writer = child.stdin.getWriter();
  const answers = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const seen: string[][] = [];
  for (const name of ["a", "b", "c"]) {
    await writer.write(bytes(`${JSON.stringify({ id: name, argv: ["session", "create", name] })}\n`));
    assert.match((await answers.read()).value ?? "", new RegExp(`^\\{"id":"${name}","exit":0,.*\\}\n$`));
    seen.push(sockets());
  }
  assert.deepEqual(seen[1], seen[0]);
  assert.deepEqual(seen[2], seen[0]);
  await writer.close();
  await answers.cancel();
  assert.equal((await child.status).code, 0);
});

Deno.test("batch: the agent may end between two commands", async () => {
  await using cli = new Cli();
  const { code, answers } = await batch(cli, [
    { argv: ["session", "list"] },
    { argv: ["agent", "stop"] },
    { argv: ["session", "create", "a"] },
  ]);
  assert.equal(code, 0);
  assert.deepEqual(answers.map(({ exit }) => exit), [0, 0, 0]);
});

Deno.test("batch: lines come whole, however they were cut", async () => {
  const text = bytes("one\n\nzwölf\nlast");
  for (let size = 1; size <= text.length; size++) {
    let at = 0;
    const read = (into: Uint8Array) => {
      const piece = text.subarray(at, at + size);
      into.set(piece);
      at += piece.length;
      return Promise.resolve(piece.length === 0 ? null : piece.length);
    };
    const found = await Array.fromAsync(lines({ read }));
    assert.deepEqual(found.map((line) => line.text), ["one", "", "zwölf", "last"], `pieces of ${size}`);
    assert.deepEqual(found.map(({ number }) => number), [1, 2, 3, 4]);
  }
});

Deno.test("a closed standard input is an error, an empty one is not", async () => {
  await using cli = new Cli();
  const closed = await cli.shell("luo batch <&-");
  assert.equal(closed.code, 1);
  assert.match(closed.err, /Cannot read standard input \(EBADF\)/);
  assert.deepEqual(await cli.shell("luo batch </dev/null"), { code: 0, out: "", err: "" });
});

Deno.test("a number that would not come back as it was given is no id", async () => {
  await using cli = new Cli();
  for (const id of ["9007199254740993", "1e400", "-9007199254740993", "null", "[1]"]) {
    const { code, out } = await cli.shell(`echo '{"id":${id},"argv":["session","list"]}' | luo batch`);
    assert.equal(code, 1, id);
    assert.match(out, /"id\\" is a text, or a number/);
  }
});
