/** The keys of every --json answer and error. */
import assert from "node:assert/strict";
import { ANSWERS } from "../../lib/schema/answers.ts";
import { commandOf } from "../schema/assert_answer.ts";
import { Cli } from "./cli.ts";

/** All keys of a value, sorted, lists by their first item: `a`, `a.b`, `list[].c`. */
function keys(value: unknown, path = ""): string[] {
  if (Array.isArray(value)) return value.length === 0 ? [] : keys(value[0], `${path}[]`);
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, below]) => {
    const name = path === "" ? key : `${path}.${key}`;
    return [name, ...keys(below, name)];
  }).sort();
}

const session = ["createdAt", "name", "state"];
const file = ["digest", "kind", "label", "preservedAt", "seals", "size", "state", "token"];
const image = ["by", "commandLine", "digest", "held", "kernel", "loaded", "loadedAt", "release", "size"];
const check = [
  ...below("check", ["banner", "formats", "lines", "release", "verdict", "wraps"]),
  ...["code", "reason", "source", "verdict"].map((key) => `check.lines[].${key}`),
];
const agent = ["pid", "socket", "startedAt", "version"];

function below(name: string, list: readonly string[]): string[] {
  return [name, ...list.map((key) => `${name}.${key}`)];
}

Deno.test("the keys of --json are those of docs/json.md", async (t) => {
  await using cli = new Cli();
  const expect = async (expected: string[], ...args: string[]) => {
    await t.step(
      args.join(" "),
      async () => assert.deepEqual(keys(await cli.json(args)), expected.toSorted()),
    );
  };
  const sessionKeys = below("session", session);
  await expect([...sessionKeys, "session.files", "created"], "session", "create", "vm1");
  const preserve = [
    "file",
    "preserve",
    "vm1",
    "--from",
    cli.kernel,
    "--token",
    "1",
    "--seal",
    "--label",
    "x",
  ];
  await expect(["session", ...below("file", file)], ...preserve);
  await expect(["session", "files", ...file.map((key) => `files[].${key}`)], "file", "list", "vm1");
  const files = [...below("session", [...session, "files"]), ...file.map((key) => `session.files[].${key}`)];
  await expect(files, "session", "show", "vm1");
  await expect([...check, ...below("image", image)], "kexec", "load", cli.kernel);
  await expect(check, "kexec", "check", cli.kernel);
  const withInitrd = below("image", [...image, "initrd", "initrdDigest", "initrdSize"]);
  await expect([...check, ...withInitrd], "kexec", "load", cli.kernel, "--initrd", cli.kernel);
  await cli.ok(["kexec", "load", cli.kernel]);
  await expect(["image", "image.loaded", ...below("unloaded", image)], "kexec", "unload");
  await expect(["image", "image.loaded"], "kexec", "unload");
  await expect(
    [...below("agent", agent), ...below("device", ["path", "seenAt", "state"]), "started"],
    "agent",
    "start",
  );
  await expect(below("agent", agent), "agent", "status");
  await cli.ok(["kexec", "load", cli.kernel]);
  const sessions = [...session, "files"].map((key) => `status.sessions[].${key}`);
  const status = ["agent", "backend", "device", "image", "kernel", "lastUpdate", "losses", "sessions"];
  await expect(
    [
      ...below("status", status),
      ...agent.map((key) => `status.agent.${key}`),
      ...["path", "seenAt", "state"].map((key) => `status.device.${key}`),
      "status.image.loaded",
      ...["bootId", "commandLine", "machine", "release"].map((key) => `status.kernel.${key}`),
      ...["at", "bytes", "count", "files", "fromRelease", "sessions", "toRelease"].map((key) =>
        `status.lastUpdate.${key}`
      ),
      ...sessions,
      ...file.map((key) => `status.sessions[].files[].${key}`),
    ],
    "kexec",
    "exec",
  );
  await expect(files, "session", "retrieve", "vm1");
  await expect(
    ["session", "to", "verified", ...below("file", [...file, "position"])],
    "file",
    "restore",
    "vm1",
    "1",
    "--to",
    "out",
  );
  await expect([...files, "session.files[].position"], "session", "finish", "vm1");
  await expect(["left", "stopped"], "agent", "stop");
  await expect(["left", "stopped"], "agent", "stop");
  await expect(["script", "shell"], "completion", "fish");
  await expect(["page"], "man");
});

Deno.test("the answer of every command is what luo schema says", async () => {
  await using cli = new Cli();
  const called = new Set<string>();
  // `Cli` holds each object to the schema.
  const call = async (...args: string[]) => {
    await cli.json(args);
    called.add(commandOf(args));
  };
  await call("agent", "start");
  await call("session", "create", "vm1");
  await call("file", "preserve", "vm1", "--from", cli.kernel, "--token", "0x7", "--digest");
  await call("session", "create", "vm2");
  await call("session", "keep", "vm2");
  await call("put", "key", "value");
  await call("get", "key");
  await call("get", "none", "--default", "x");
  await call("keys");
  await call("drop", "key");
  await call("session", "close", "vm2");
  await call("kexec", "check", cli.kernel);
  await call("kexec", "load", cli.kernel, "--command-line", "liveupdate=on kho=on", "--initrd", cli.kernel);
  await call("kexec", "unload");
  await cli.ok(["kexec", "load", cli.kernel]);
  await call("kexec", "show");
  await call("kho", "show");
  await call("status");
  await call("kexec", "exec");
  await call("kho", "show", "--in");
  await call("kho", "show", "--out");
  const captures = new URL("../kho/fixtures/", import.meta.url).pathname;
  for (const { name } of Deno.readDirSync(captures)) {
    // Beside the captures lies a device tree.
    if (name.endsWith(".json.gz")) await call("kho", "show", captures + name);
  }
  await call("session", "list");
  await call("session", "retrieve", "vm1");
  await call("file", "list", "vm1");
  await call("file", "restore", "vm1", "7", "--to", "out");
  await call("session", "show", "vm1");
  await call("session", "finish", "vm1");
  await call("update", "state");
  await call("update", "run", cli.kernel, "--command-line", "liveupdate=on kho=on");
  await call("update", "prepare", cli.kernel, "--command-line", "liveupdate=on kho=on");
  await call("update", "cancel");
  await cli.ok(["update", "prepare", cli.kernel, "--command-line", "liveupdate=on kho=on"]);
  await call("update", "freeze");
  await cli.ok(["kexec", "exec"]);
  await call("update", "finish");
  await call("update", "state");
  await call("update", "report");
  await call("update", "history");
  await call("agent", "status");
  await cli.ok(["session", "create", "lost"]);
  await cli.ok(["agent", "stop", "--force"]);
  await call("status");
  await call("losses", "--clear");
  await call("agent", "stop");
  await call("machine", "stop");
  for (const shell of ["bash", "zsh", "fish"]) await call("completion", shell);
  await call("man");
  const stdin = new TextEncoder().encode('{"id":1,"argv":["schema"]}\n');
  await cli.ok(["batch", "--json"], { stdin });
  called.add("batch");
  // The exit code says whether this host has something that stops a live update.
  assert.match((await cli.luo(["doctor", "--json"])).out, /^\{"doctor"/);
  called.add("doctor");
  // tests/rehearse/main.ts holds this answer to the schema: it needs a virtual machine.
  called.add("rehearse");
  await call("schema");
  await call("schema", "session", "show");
  await call("--version");
  const { err } = await cli.luo(["session", "show", "vm1", "--json", "--backend", "vax"]);
  assert.match(err, /^\{"error"/);
  called.add("error");
  assert.deepEqual([...called].sort(), Object.keys(ANSWERS).sort());
});

Deno.test("errors in JSON: always kind, message, exit; then what is known", async (t) => {
  await using cli = new Cli();
  await cli.ok(["session", "create", "vm1"]);
  const cases: [string, string[], string[]][] = [
    ["kernel-error", ["errno", "hints", "operation", "subject"], ["session", "create", "vm1"]],
    ["no-such-session", ["hints", "known", "subject"], ["session", "show", "vm2"]],
    ["refused", ["hints", "operation", "reasons", "subject"], ["agent", "stop"]],
    ["wrong-state", ["hints", "operation", "subject"], ["session", "retrieve", "vm1"]],
  ];
  for (const [kind, expected, args] of cases) {
    await t.step(kind, async () => {
      const { code, err } = await cli.luo([...args, "--json"]);
      const { error }: { error: { kind: string; exit: number } } = JSON.parse(err);
      assert.deepEqual([error.kind, error.exit], [kind, code]);
      assert.deepEqual(Object.keys(error).toSorted(), [...expected, "exit", "kind", "message"].toSorted());
    });
  }
});
