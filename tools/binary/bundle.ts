/** Bundles luo into one script. */
import { chunks } from "./chunks.ts";
import { output } from "./output.ts";

/**
 * The script of the whole program. It has main.ts and all its imports in chunks, each as text in the comment of a function. A chunk
 * is parsed when it is first needed. Deno parses its module three times (for imports, for CommonJS, by V8), which for all of luo
 * takes longer than Deno's own start; a comment costs nothing. The source text of a function includes its comments.
 *
 * The first line defines the commit (lib/version.ts).
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

/** The text, changed so that it does not end a comment. The loader reverses the change. */
function commented(text: string): string {
  if (text.includes("\x01")) {
    throw new RangeError("Cannot put a chunk into a comment: it contains U+0001");
  }
  return text.replaceAll("*/", "*\x01/");
}

/** The part of CommonJS that the chunks need. Stack traces show the sourceURL. */
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

/** The commit of the checkout, with `+` when files differ from it; empty outside a git checkout. */
async function commit(root: string): Promise<string> {
  try {
    const id = (await output("git", ["rev-parse", "HEAD"], root)).trim();
    return id + (await output("git", ["status", "--porcelain"], root) === "" ? "" : "+");
  } catch {
    return "";
  }
}
