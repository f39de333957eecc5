/** Splits luo into CommonJS chunks that load only when they are needed. */
import { output } from "./output.ts";

/** How a chunk names another one, when it is a file. */
const IMPORT = /(import\()?"\.\/([\w-]+)\.js"\)?/g;

/**
 * main.ts and all it imports, as CommonJS: by name, `luo:main` among them. A chunk is what is always needed together.
 *
 * `deno bundle` splits only into ECMAScript modules, so esbuild converts each of them in a second step. Both transform as little
 * as possible: the syntax minifier of esbuild inlines a `using` variable that is used once, and so drops its disposal.
 */
export async function chunks(root: string, directory: string): Promise<Record<string, string>> {
  const split = `${directory}/split`;
  const args = ["bundle", "--quiet", "--platform=deno", `--outdir=${split}`, "--code-splitting", "main.ts"];
  await output(Deno.execPath(), args, root);
  const modules = named(readAll(split));
  const { stop, transform } = await import("esbuild");
  try {
    const converted = Array.from(modules, async ([name, text]) => {
      const { code } = await transform(text, {
        format: "cjs",
        target: "esnext",
        minifyWhitespace: true,
        minifyIdentifiers: true,
      });
      if (disposals(code) !== disposals(text)) throw new Error(`Cannot convert ${name}: a disposal is gone`);
      return [name, code.trim()];
    });
    return Object.fromEntries(await Promise.all(converted));
  } finally {
    await stop();
  }
}

/** How many variables are disposed of at the end of their scope. */
export function disposals(text: string): number {
  return Array.from(text.matchAll(/\busing\s+[\w$]+\s*(?:=|\bof\b)/g)).length;
}

/** The text of each file, by its name without `.js`. */
function readAll(directory: string): Map<string, string> {
  return new Map(
    Array.from(Deno.readDirSync(directory), ({ name }) => [
      name.replace(/\.js$/, ""),
      Deno.readTextFileSync(`${directory}/${name}`),
    ]),
  );
}

/**
 * Under names that depend on nothing but the source: esbuild's have a hash in them of where the files were. They are numbered in
 * the order in which one comes to them from main.
 */
function named(modules: ReadonlyMap<string, string>): Map<string, string> {
  const names = new Map([["main", "luo:main"]]);
  // A Map may grow while it is gone through.
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
