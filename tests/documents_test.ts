/** Rules for documents: the files and links that they name exist, the index is complete, lines are not too wide. */
import assert from "node:assert/strict";

const ROOT = new URL("..", import.meta.url).pathname;
const NOT_OURS = new Set([".git", ".cache", "node_modules", "dist"]);

/** All files of the checkout, from its top. */
const PATHS = filesBelow("");
const DOCUMENTS = PATHS.filter((path) => path.endsWith(".md"));

function filesBelow(directory: string): string[] {
  return Array.from(Deno.readDirSync(ROOT + directory)).flatMap(({ name, isDirectory }) => {
    if (NOT_OURS.has(name)) return [];
    return isDirectory ? filesBelow(`${directory}${name}/`) : [directory + name];
  }).sort();
}

function read(path: string): string {
  return Deno.readTextFileSync(ROOT + path);
}

/** All that the expression finds in these files and the test does not accept, each with its file. */
function offenders(
  paths: readonly string[],
  expression: RegExp,
  text: (path: string) => string,
  accept: Accept,
): string[] {
  return paths.flatMap((path) =>
    Array.from(text(path).matchAll(expression), (match) => match[1] ?? match[0])
      .filter((found) => !accept(found, path)).map((found) => `${path}: ${found}`)
  );
}

type Accept = (found: string, path: string) => boolean;

/** A source's comments; scripts and other texts are read whole. */
function comments(path: string): string {
  if (!path.endsWith(".ts")) return read(path);
  return Array.from(read(path).matchAll(/\/\*[^]*?\*\/|(?<=^|\s)\/\/.*$/gm), ([comment]) => comment).join(
    "\n",
  );
}

Deno.test("the documents are found", () => {
  assert.ok(DOCUMENTS.length > 15 && DOCUMENTS.includes("README.md") && PATHS.includes("lib/luo.ts"));
});

Deno.test("relative links lead to files that exist", () => {
  const exists: Accept = (link, path) => {
    const target = new URL(link.replace(/#.*/, ""), `file:///${path}`).pathname.slice(1);
    return PATHS.some((known) => known === target || known.startsWith(`${target.replace(/\/?$/, "/")}`));
  };
  assert.deepEqual(offenders(DOCUMENTS, /\]\((?!https?:|#)([^)\s]+)\)/g, read, exists), []);
});

Deno.test("links to a heading lead to one", () => {
  const headings = (path: string) =>
    Array.from(
      read(path).matchAll(/^#+ (.*)$/gm),
      ([, heading = ""]) => heading.toLowerCase().replace(/[^\w -]/g, "").replaceAll(" ", "-"),
    );
  const exists: Accept = (link, path) => {
    const [file = "", heading = ""] = link.split("#");
    const target = file === "" ? path : new URL(file, `file:///${path}`).pathname.slice(1);
    return headings(target).includes(heading);
  };
  assert.deepEqual(offenders(DOCUMENTS, /\]\(((?!https?:)[^)\s]*#[^)\s]+)\)/g, read, exists), []);
});

Deno.test("docs/README.md has every document below docs/", () => {
  const index = read("docs/README.md");
  const missing = PATHS.filter((path) => path.startsWith("docs/") && path !== "docs/README.md")
    .filter((path) => !index.includes(`](${path.slice("docs/".length)})`));
  assert.deepEqual(missing, []);
});

/** Files that a recipe of docs/architecture.md makes. */
const EXAMPLES = new Set([
  "commands/session_count.ts",
  "lib/kho/memfd_v3.ts",
  "lib/model/handlers/future/pipe_handler.ts",
]);

Deno.test("source files that documents and comments name exist", () => {
  const exists: Accept = (name) =>
    EXAMPLES.has(name) || PATHS.some((path) => path === name || path.endsWith(`/${name}`));
  const text = PATHS.filter((path) =>
    /\.(md|ts|sh|c|S)$|^\.ci\/run$/.test(path) && path !== "tests/documents_test.ts"
  );
  const name = /(?<![\w./*$}-])(?:\.\.\/)*([a-zA-Z_][\w/-]*\.(?:ts|sh|svg))\b(?!\()/g;
  assert.deepEqual(offenders(text, name, comments, exists), []);
});

Deno.test("folders that documents name exist", () => {
  const exists: Accept = (name) => PATHS.some((path) => path.startsWith(name.replace(/\/?$/, "/")));
  const name = /`((?:commands|lib|ffi|tests|tools|examples|docs)\/[\w/-]*)`/g;
  assert.deepEqual(offenders(DOCUMENTS, name, read, exists), []);
});

Deno.test("tasks that documents and comments name exist", () => {
  const { tasks } = JSON.parse(read("deno.json"));
  const text = PATHS.filter((path) => /\.(md|ts|sh|c)$|^\.ci\/run$/.test(path));
  assert.deepEqual(
    offenders(text, /deno(?:@[\d.]+)? task (?:--quiet )?([a-z][\w:]*)/g, comments, (task) => task in tasks),
    [],
  );
});

Deno.test("CONTRIBUTING.md names every task", () => {
  const { tasks } = JSON.parse(read("deno.json"));
  const named = Array.from(
    read("CONTRIBUTING.md").matchAll(/deno(?:@[\d.]+)? task ([a-z][\w:]*)/g),
    ([, task]) => task,
  );
  assert.deepEqual(Object.keys(tasks).filter((task) => !named.includes(task)), []);
});

Deno.test("docs/decisions/one-file.md compiles luo with the environment that its task has", () => {
  const variables = (text: string) =>
    Array.from(text.matchAll(/--allow-env=([A-Z_,]+)/g), ([, names = ""]) => names.split(",")).flat().sort();
  const { tasks } = JSON.parse(read("deno.json"));
  assert.deepEqual(variables(read("docs/decisions/one-file.md")), variables(tasks.luo));
});

/** Commands have the name of their file: `luo session create`. The words after `luo` that are no commands are options and files. */
Deno.test("commands that documents name exist", () => {
  const files = PATHS.filter((path) => /^commands\/\w+\.ts$/.test(path)).map((path) => path.slice(9, -3));
  const exists: Accept = (words) => {
    const [first = "", second = ""] = words.split(" ");
    const isGroup = files.some((file) => file.startsWith(`${first}_`));
    return files.includes(first) || (isGroup && (second === "" || files.includes(`${first}_${second}`)));
  };
  // A recipe adds a command, and the changes name what is no command.
  const text = DOCUMENTS.filter((path) => path !== "docs/architecture.md" && path !== "CHANGELOG.md");
  assert.deepEqual(offenders(text, /`luo ([a-z]+(?: [a-z]+)?)/g, read, exists), []);
  assert.deepEqual(offenders(text, /^(?: {4,}(?:\$ )?|\$ )luo ([a-z]+(?: [a-z]+)?)/gm, read, exists), []);
});

Deno.test("lines of documents are at most 120 columns wide, tables too", () => {
  const wide = DOCUMENTS.flatMap((path) =>
    read(path).split("\n").flatMap((line, index) => line.length > 120 ? [`${path}:${index + 1}`] : [])
  );
  assert.deepEqual(wide, []);
});

Deno.test("no file but deno.lock names the host of a package registry", () => {
  const host =
    /registry\.(?:npmjs|yarnpkg)|npm\.jsr\b|deb\.debian|snapshot\.debian|(?:ftp|security)\.debian|dl\.deno|deno\.land/g;
  const text = PATHS.filter((path) =>
    path !== "deno.lock" && path !== "tests/documents_test.ts" && !path.endsWith(".gz")
  );
  assert.deepEqual(offenders(text, host, read, () => false), []);
});
