/** Splits luo into CommonJS chunks that load only when they are needed. */
import { output } from "./output.ts";

/** An import of another chunk, as esbuild writes it. */
const IMPORT = /(import\()?"\.\/([\w-]+)\.js"\)?/g;

/**
 * main.ts and its imports as CommonJS chunks, by name; the first is `luo:main`. A chunk has the modules that are always needed
 * together.
 *
 * `deno bundle` splits only into ECMAScript modules, so esbuild converts each of them afterwards. Neither minifies syntax: esbuild
 * would inline a `using` variable that is used once, and so drop its disposal.
 */
export async function chunks(root: string, directory: string): Promise<Record<string, string>> {
  const split = `${directory}/split`;
  const args = ["bundle", "--quiet", "--platform=deno", `--outdir=${split}`, "--code-splitting", "main.ts"];
  await output(Deno.execPath(), args, root);
  const modules = named(readAll(split));
  const { stop, transform } = await import("esbuild");
  try {
    const converted = Array.from(modules, async ([name, text]) => {
      const { code } = await transform(withPackages(text), {
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

/** The chunks that this one needs at once. It asks for others later, in functions. */
export function needed(text: string): string[] {
  const atOnce = text.replaceAll(/Promise\.resolve\(\)\.then\(\(\)=>require\("[^"]+"\)\)/g, "");
  return Array.from(atOnce.matchAll(/\brequire\("(luo:[^"]+)"\)/g), ([, name = ""]) => name);
}

/** The number of variables that are disposed of at the end of their scope. */
export function disposals(text: string): number {
  return Array.from(text.matchAll(/\busing\s+[\w$]+\s*(?:=|\bof\b)/g)).length;
}

/** The text of every file, by its name without `.js`. */
function readAll(directory: string): Map<string, string> {
  return new Map(
    Array.from(Deno.readDirSync(directory), ({ name }) => [
      name.replace(/\.js$/, ""),
      Deno.readTextFileSync(`${directory}/${name}`),
    ]),
  );
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
      if (modules.has(imported) && !names.has(imported)) {
        names.set(imported, `luo:${imported.replace(/-?[0-9A-Z]{8}$/, "")}-${names.size}`);
      }
    }
  }
  return new Map(
    Array.from(names, ([file, name]) => [
      name,
      (modules.get(file) ?? "").replace(IMPORT, (text, lazily, imported) => {
        const known = names.get(imported);
        if (known === undefined) return text;
        return lazily === undefined ? `"${known}"` : `Promise.resolve().then(()=>require("${known}"))`;
      }),
    ]),
  );
}
