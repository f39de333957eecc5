import { output } from "./output.ts";

/** How a chunk names another one, when it is a file. */
const IMPORT = /(import\()?"\.\/([\w-]+)\.js"\)?/g;

/**
 * main.ts and all it imports, as CommonJS: by name, `luo:main` among them. A chunk is what is always needed together.
 *
 * esbuild, which is inside `deno bundle`, splits only into ECMAScript modules, so each is converted in a second step.
 */
export async function chunks(root: string, directory: string): Promise<Record<string, string>> {
  const common = ["bundle", "--quiet", "--platform", "deno", "--minify"];
  await output(Deno.execPath(), [
    ...common,
    "--code-splitting",
    "--outdir",
    `${directory}/modules`,
    "main.ts",
  ], root);
  const modules = named(readAll(`${directory}/modules`));

  Deno.mkdirSync(`${directory}/renamed`);
  const files = Array.from(modules, ([name, text], index) => {
    const file = `${directory}/renamed/${index}.js`;
    Deno.writeTextFileSync(file, text);
    return { name, file };
  });
  const converted = [
    "--no-config",
    "--format",
    "cjs",
    "--external",
    "luo:*",
    "--outdir",
    `${directory}/converted`,
  ];
  await output(Deno.execPath(), [...common, ...converted, ...files.map(({ file }) => file)], directory);
  return Object.fromEntries(
    files.map((
      { name },
      index,
    ) => [name, Deno.readTextFileSync(`${directory}/converted/${index}.js`).trim()]),
  );
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
