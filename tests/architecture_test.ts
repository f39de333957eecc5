/** Rules that every source file keeps. The tests read the files as text. */
import assert from "node:assert/strict";
import { picture } from "../tools/architecture/draw.ts";
import { floor, FLOORS, room } from "../tools/architecture/floors.ts";
import { importsOf, readSources, type Source, sourcesBelow } from "../tools/architecture/sources.ts";

const ROOT = new URL("..", import.meta.url).pathname;
const SOURCES = readSources();
const IMPORTS = importsOf(SOURCES);

/** The files that break a rule, each with the text that breaks it. */
function offenders(breaks: (source: Source) => string | undefined): string[] {
  return SOURCES.flatMap((source) => {
    const how = breaks(source);
    return how === undefined ? [] : [`${source.path}: ${how}`];
  });
}

Deno.test("the sources and their imports are found", () => {
  assert.ok(SOURCES.length > 50 && IMPORTS.length > 100);
  assert.ok(IMPORTS.some(({ from, to }) => from === "main.ts" && to === "commands/program/application.ts"));
});

Deno.test("every folder has a floor, and every floor has only folders that exist", () => {
  assert.deepEqual(offenders(({ path }) => floor(path) < 0 ? `no floor for ${room(path)}` : undefined), []);
  const rooms = new Set(SOURCES.map(({ path }) => room(path)));
  assert.deepEqual(FLOORS.flat().filter((name) => !rooms.has(name)), []);
});

Deno.test("imports lead down or stay in the folder, imports of types too", () => {
  const up = IMPORTS.filter(({ from, to }) =>
    to.endsWith(".ts") && room(from) !== room(to) && floor(to) >= floor(from)
  );
  assert.deepEqual(up.map(({ from, to }) => `${from} imports ${to}`), []);
});

Deno.test("docs/architecture.svg shows these folders and their imports (deno task picture draws it)", () => {
  assert.ok(Deno.readTextFileSync(`${ROOT}docs/architecture.svg`) === picture());
});

Deno.test("no two files import each other at run time, directly or through others", () => {
  const targets = new Map<string, string[]>();
  for (const { from, to, types } of IMPORTS) {
    if (!types) targets.set(from, [...targets.get(from) ?? [], to]);
  }
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (path: string, way: readonly string[]): void => {
    if (way.includes(path)) circles.push([...way.slice(way.indexOf(path)), path].join(" -> "));
    if (way.includes(path) || done.has(path)) return;
    for (const next of targets.get(path) ?? []) visit(next, [...way, path]);
    done.add(path);
  };
  for (const { path } of SOURCES) visit(path, []);
  assert.deepEqual(circles, []);
});

Deno.test("help, every command and every client start without the schema library", () => {
  const loaded = new Set([
    ...loadedWith("commands/program/application.ts"),
    ...loadedWith("commands/program/routes.ts"),
    ...loadedWith("lib/agent/client.ts"),
  ]);
  assert.ok(loaded.has("commands/agent_run.ts") && loaded.has("commands/errors/failure.ts"));
  assert.ok(IMPORTS.some(({ to }) => to === "valibot"));
  assert.ok(!loaded.has("valibot"));
});

/** All that a file loads at once, by way of others. */
function loadedWith(path: string): string[] {
  const loaded = new Set([path]);
  for (const one of loaded) {
    for (const { from, to, types, lazy } of IMPORTS) if (from === one && !types && !lazy) loaded.add(to);
  }
  return Array.from(loaded);
}

/** The folders that only these commands load at their start. */
const LOADED_BY: Readonly<Record<string, RegExp>> = {
  "commands/emulate.ts": /^lib\/model\/faults\//,
  "commands/machine_run.ts": /^lib\/model\/faults\//,
  "commands/kho_show.ts": /^lib\/kho\//,
  "commands/file_preserve.ts": /^lib\/files\//,
  "commands/file_restore.ts": /^lib\/files\//,
};

Deno.test("a command loads the parts of luo that it uses, and no module of node", () => {
  const commands = SOURCES.map(({ path }) => path).filter((path) => /^commands\/\w+\.ts$/.test(path));
  const part =
    /^node:|^lib\/(model|kho|kexec|emulate|rehearse|doctor|machine_process|schema)\/|^lib\/agent\/agent\.ts$/;
  const files = /^lib\/files\/(?!host_fd|file_problem|system_files|inherited_environment)/;
  // The classes of errors are small, and some commands take errors apart.
  const small = /^lib\/(rehearse\/missing_tool|files\/file_problem)\.ts$/;
  assert.ok(commands.length > 20);
  const unused = [...commands, "commands/program/application.ts"].flatMap((path) =>
    loadedWith(path)
      .filter((to) => (part.test(to) || files.test(to)) && !small.test(to) && !LOADED_BY[path]?.test(to))
      .map((to) => `${path} loads ${to}`)
  );
  assert.deepEqual(unused, []);
});

Deno.test("every import names a file that exists", () => {
  const paths = new Set(SOURCES.map(({ path }) => path));
  assert.deepEqual(IMPORTS.filter(({ to }) => to.endsWith(".ts") && !paths.has(to)), []);
});

Deno.test("only ffi/ has foreign functions and raw pointers, and only ffi/libc.ts calls dlopen", () => {
  const raw = /\bDeno\.(dlopen|Unsafe\w+)/;
  assert.deepEqual(
    offenders(({ path, code }) => path.startsWith("ffi/") ? undefined : raw.exec(code)?.[0]),
    [],
  );
  assert.deepEqual(
    SOURCES.filter(({ code }) => code.includes("Deno.dlopen(")).map(({ path }) => path),
    ["ffi/libc.ts"],
  );
});

Deno.test("only main.ts reads the arguments and the environment, and exits", () => {
  const word = /\bDeno\.(exit|args|env)\b/;
  assert.deepEqual(offenders(({ path, code }) => path === "main.ts" ? undefined : word.exec(code)?.[0]), []);
});

Deno.test("the model imports only ffi/abi, the seam and lib/kho, and uses Deno only for the files of its disk", () => {
  const model = (path: string) => path.startsWith("lib/model/");
  const allowed = /^(lib\/model\/|lib\/kho\/|lib\/system_calls\.ts|ffi\/abi\/)/;
  assert.deepEqual(IMPORTS.filter(({ from, to }) => model(from) && !allowed.test(to)), []);
  const outside = ({ path }: Source) => !model(path) || path === "lib/model/fs/host_disk.ts";
  assert.deepEqual(
    offenders((source) => outside(source) ? undefined : /\bDeno\.\w+/.exec(source.code)?.[0]),
    [],
  );
});

Deno.test("ffi/abi imports nothing but ffi/abi and types", () => {
  const abi = (path: string) => path.startsWith("ffi/abi/");
  assert.deepEqual(IMPORTS.filter(({ from, to, types }) => abi(from) && !abi(to) && !types), []);
});

Deno.test("the program imports only pinned packages, and none that only tests need", () => {
  const pinned: Record<string, string> = JSON.parse(Deno.readTextFileSync(`${ROOT}deno.json`)).imports;
  for (const [name, version] of Object.entries(pinned)) {
    assert.match(version, new RegExp(`^npm:${name}@\\d+\\.\\d+\\.\\d+$`));
  }
  const outside = IMPORTS.map(({ to }) => to)
    .filter((to) => !/^node:|\.ts$|^deno\.json$/.test(to));
  assert.deepEqual(
    outside.filter((name) => !(name in pinned) || ["ajv", "fast-check", "lzma1"].includes(name)),
    [],
  );
});

Deno.test("no enum, no any, no double cast, no dumping grounds", () => {
  const word = /\benum\s+\w+\s*\{|[:<]\s*any\b|\bas any\b|\bas unknown as\b/;
  assert.deepEqual(offenders(({ code }) => word.exec(code)?.[0]), []);
  assert.deepEqual(offenders(({ path }) => /\/(utils|helpers|common|mod)\.ts$/.exec(path)?.[0]), []);
});

Deno.test("every file opens with a sentence that says what it is", () => {
  const others = ["tools", "tests", "examples"].flatMap(sourcesBelow);
  assert.ok(others.length > 150);
  // An executable script has the line for the kernel before that sentence.
  assert.deepEqual(
    [...SOURCES, ...others].filter(({ text }) => !/^(?:#!.*\n)?\/\*\*/.test(text)).map(({ path }) => path),
    [],
  );
});

Deno.test("files stay small", () => {
  // The length of a generated file is that of what it is written from, which is measured itself.
  const isGenerated = (text: string) =>
    /`deno task reference`\s+(\*\s+)?writes\s+(\*\s+)?this\s+(\*\s+)?file/.test(text);
  assert.deepEqual(
    offenders(({ text }) => {
      if (isGenerated(text)) return undefined;
      const lines = text.split("\n").length;
      return lines > 400 ? `${lines} lines` : undefined;
    }),
    [],
  );
});

Deno.test("every function and class that the library exports is documented", () => {
  const exported = new Set(IMPORTS.filter(({ from }) => from === "lib/luo.ts").map(({ to }) => to));
  assert.ok(exported.size > 4);
  const bare = /(?<!\*\/\n)^export (?:async )?(?:function|class) \w+/m;
  assert.deepEqual(
    offenders(({ path, text }) => exported.has(path) ? bare.exec(withoutOverloads(text))?.[0] : undefined),
    [],
  );
});

/** The first signature of an overloaded function carries the docs. */
function withoutOverloads(text: string): string {
  return text.replace(/^(export function (\w+)\b[^{]*?;\n)(export function \2\b[^{]*?[;{]\n)+/gm, "$1");
}
