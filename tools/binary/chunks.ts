import { output } from "./output.ts";

/** How a chunk names another one, when it is a file. */
const IMPORT = /(import\()?"\.\/([\w-]+)\.js"\)?/g;

/**
 * main.ts and all it imports, as CommonJS: by name, `luo:main` among them. A chunk is what is always needed together.
 *
 * esbuild, which is inside `deno bundle`, splits only into ECMAScript modules, so each is converted in a second step.
 */
export async function chunks(root: string, directory: string): Promise<Record<string, string>> {
  const [split, renamed, common] = [`${directory}/split`, `${directory}/renamed`, `${directory}/common`];
  await bundle(root, split, ["--code-splitting", "main.ts"]);
  const found = Array.from(named(readAll(split)));
  const modules = found.map(([name, text], index) => ({ name, text, file: `${index}.js` }));
  Deno.mkdirSync(renamed);
  for (const { text, file } of modules) Deno.writeTextFileSync(`${renamed}/${file}`, text);
  const files = modules.map(({ file }) => file);
  await bundle(renamed, common, ["--no-config", "--format=cjs", "--external=luo:*", ...files]);
  return Object.fromEntries(
    modules.map(({ name, file }) => [name, Deno.readTextFileSync(`${common}/${file}`).trim()]),
  );
}

async function bundle(from: string, to: string, words: readonly string[]): Promise<void> {
  const args = ["bundle", "--quiet", "--platform=deno", "--minify", `--outdir=${to}`, ...words];
  await output(Deno.execPath(), args, from);
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
