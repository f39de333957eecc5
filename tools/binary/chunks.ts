/** Makes of every module of luo a chunk that loads by itself, when something of it is used for the first time. */
import { output } from "./output.ts";

/** An import of another module, as esbuild writes it. */
const IMPORT = /(import\()?"(\.{1,2}\/[\w./-]+)\.js"\)?/g;
/** The list of exports with which esbuild ends a module. */
const EXPORTS = /^export \{([^}]*)\};$/m;

/**
 * main.ts and its imports by name, as bodies of functions; the first is `luo:main`. A body calls `provide` with its exports, and
 * `require`, `module` and `exports` are those of CommonJS.
 *
 * Every module is an entry for `deno bundle`, so that esbuild keeps it in a file of its own. `deno bundle` splits only into ECMAScript
 * modules, so esbuild converts each of them afterwards. Neither minifies syntax: esbuild would inline a `using` variable that is used
 * once, and so drop its disposal.
 */
export async function chunks(root: string, directory: string): Promise<Record<string, string>> {
  const split = `${directory}/split`;
  const args = ["bundle", "--quiet", "--platform=deno", `--outdir=${split}`, "--code-splitting"];
  const paths = await sources(root);
  await output(Deno.execPath(), [...args, ...paths], root);
  const modules = named(readAll(split));
  const variables = paths.flatMap((path) => exportedVariables(Deno.readTextFileSync(`${root}/${path}`)));
  const { stop, transform } = await import("esbuild");
  try {
    const converted = Array.from(modules, async ([name, text]) => {
      const { code } = await transform(withProvide(withPackages(text), variables), {
        format: "cjs",
        target: "esnext",
        minifyWhitespace: true,
        minifyIdentifiers: true,
      });
      if (disposals(code) !== disposals(text)) {
        throw new Error(`Cannot convert ${name}: a disposal is missing in the result`);
      }
      return [name, code.trim()];
    });
    return Object.fromEntries(await Promise.all(converted));
  } finally {
    await stop();
  }
}

interface ModuleGraph {
  readonly modules: readonly { readonly specifier: string }[];
}

/** The paths of main.ts and of all modules that it imports, without those of packages. */
async function sources(root: string): Promise<string[]> {
  const graph: ModuleGraph = JSON.parse(await output(Deno.execPath(), ["info", "--json", "main.ts"], root));
  const above = new URL(".", `file://${await Deno.realPath(`${root}/main.ts`)}`).href;
  return graph.modules.map(({ specifier }) => specifier)
    .filter((specifier) => specifier.startsWith(above) && specifier.endsWith(".ts"))
    .map((specifier) => specifier.slice(above.length)).toSorted();
}

/** The names of variables that a module exports and may assign to. */
function exportedVariables(source: string): string[] {
  return Array.from(source.matchAll(/^export (?:let|var) (\w+)/gm), ([, name = ""]) => name);
}

/**
 * The module with a call of `provide` in the place of its list of exports, and after each assignment to an exported variable. esbuild's
 * own code for exports is longer and slower, and makes every access a call: errno must be read without one (ffi/libc.ts).
 */
function withProvide(text: string, variables: readonly string[]): string {
  const [, list = ""] = EXPORTS.exec(text) ?? [];
  const names = list.split(",").map((one) => one.trim()).filter((one) => one !== "");
  let result = text.replace(EXPORTS, `provide({ ${names.map(asProperty).join(", ")} });`);
  for (const name of names) {
    const [inside = ""] = name.split(" as ");
    if (!variables.includes(inside)) continue;
    const assignments = new RegExp(`^ +${inside} = .*;$`, "gm");
    if (
      result.match(assignments)?.length !==
        result.match(new RegExp(`(?<!var )\\b${inside} \\S*=(?!=)`, "g"))?.length
    ) {
      throw new Error(
        `Cannot convert an assignment to the exported variable ${inside}: write it as a statement`,
      );
    }
    result = result.replace(assignments, (line) => `{${line} provide({ ${asProperty(name)} });}`);
  }
  return result;
}

/** A name of a list of exports, in an object. */
function asProperty(name: string): string {
  const [inside = "", outside = inside] = name.split(" as ");
  return `${outside}: ${inside}`;
}

/**
 * Packages that are CommonJS get a `require` made by node:module, which every start would load; a CommonJS chunk has one already. Their
 * files are named by their place in Deno's cache, which is another one on every machine.
 */
function withPackages(text: string): string {
  return text
    .replace(/^import \{ createRequire as (\w+) \} from "node:module";$/m, "")
    .replace(/\b__deno_internal_createRequire\(import\.meta\.url\)/, "require")
    .replaceAll(/^( *")[^"\n]*\/npm\/[^"\n/]+\/([^"\n]+"\()/gm, "$1$2");
}

/** The chunks that this one imports and does not load later, with import(). */
export function needed(text: string): string[] {
  const atOnce = text.replaceAll(/Promise\.resolve\(\)\.then\(\(\)=>require\("[^"]+"\)\)/g, "");
  return Array.from(atOnce.matchAll(/\brequire\("(luo:[^"]+)"\)/g), ([, name = ""]) => name);
}

/** The number of variables that are disposed of at the end of their scope. */
export function disposals(text: string): number {
  return Array.from(text.matchAll(/\busing\s+[\w$]+\s*(?:=|\bof\b)/g)).length;
}

/** The text of every file below the directory, by its path without `.js`. */
function readAll(directory: string, inside = ""): Map<string, string> {
  const found = Array.from(Deno.readDirSync(`${directory}/${inside}`)).flatMap(({ name, isDirectory }) => {
    if (isDirectory) return [...readAll(directory, `${inside}${name}/`)];
    const path = `${inside}${name}`;
    return [[path.replace(/\.js$/, ""), Deno.readTextFileSync(`${directory}/${path}`)] as const];
  });
  return new Map(found);
}

/**
 * The chunks under names that depend only on the source. esbuild's names include a hash of the path of the checkout. The numbers
 * follow the order of imports, from main on.
 */
function named(modules: ReadonlyMap<string, string>): Map<string, string> {
  const names = new Map([["main", "luo:main"]]);
  // The loop also visits the names that it adds.
  for (const file of names.keys()) {
    for (const [, , imported = ""] of (modules.get(file) ?? "").matchAll(IMPORT)) {
      const path = resolved(imported, file);
      if (modules.has(path) && !names.has(path)) names.set(path, `luo:${names.size}`);
    }
  }
  return new Map(
    Array.from(names, ([file, name]) => [
      name,
      (modules.get(file) ?? "").replace(IMPORT, (text, lazily, imported) => {
        const known = names.get(resolved(imported, file));
        if (known === undefined) return text;
        return lazily === undefined ? `"${known}"` : `Promise.resolve().then(()=>require("${known}"))`;
      }),
    ]),
  );
}

/** The path that a module means by a relative one. */
function resolved(path: string, from: string): string {
  return new URL(path, `file:///${from}`).pathname.slice(1);
}
