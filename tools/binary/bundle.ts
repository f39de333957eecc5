/** Bundles luo into one script. */
import { chunks } from "./chunks.ts";
import { output } from "./output.ts";

/**
 * Everything `luo` is, as one script: what `deno bundle` makes of main.ts, in chunks that are only text until they are asked for.
 * Deno reads a module that it runs three times over (for its imports, for CommonJS, by V8); for all of luo that takes longer
 * than Deno's own start. In a comment there is nothing to read, and a function gives its source back, comments included.
 *
 * The first line says which commit it is from (lib/version.ts).
 */
export async function bundle(root: string): Promise<Uint8Array> {
  const directory = await Deno.makeTempDir({ prefix: "luo-binary-" });
  try {
    const texts = Object.entries(await chunks(root, directory));
    const build = JSON.stringify({ commit: await commit(root) });
    const functions = texts.map(([name, text]) => `${JSON.stringify(name)}(){/*${commented(text)}*/}`);
    return new TextEncoder().encode(
      `globalThis.LUO_BINARY=${build};\nconst chunks={${functions.join(",\n")}};\n${LOADER}`,
    );
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Text with nothing in it that ends a comment. The loader takes it back. */
function commented(text: string): string {
  if (text.includes("\x01")) {
    throw new RangeError("Cannot put a chunk into a comment: there is a U+0001 in it");
  }
  return text.replaceAll("*/", "*\x01/");
}

/** CommonJS, as far as the chunks need it. sourceURL is what stack traces call a chunk. */
const LOADER = `const loaded = {};
function require(name) {
  if (!Object.hasOwn(chunks, name)) return process.getBuiltinModule(name);
  let module = loaded[name];
  if (module === undefined) {
    module = loaded[name] = { exports: {} };
    const source = chunks[name].toString();
    const text = source.slice(source.indexOf("/*") + 2, -3).replaceAll("*\\x01/", "*/");
    const define = (0, eval)("(function(exports,require,module){" + text + "\\n})\\n//# sourceURL=" + name);
    define(module.exports, require, module);
  }
  return module.exports;
}
require("luo:main");
`;

/** The commit checked out; with `+` when the files are not just that, and empty when this is no git checkout. */
async function commit(root: string): Promise<string> {
  try {
    const id = (await output("git", ["rev-parse", "HEAD"], root)).trim();
    return id + (await output("git", ["status", "--porcelain"], root) === "" ? "" : "+");
  } catch {
    return "";
  }
}
