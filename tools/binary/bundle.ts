import { chunks } from "./chunks.ts";
import { output } from "./output.ts";

/**
 * Everything `luo` is, as one script: what `deno bundle` makes of main.ts, in pieces that are only text until they are asked for.
 * Deno reads a module it runs three times over (for its imports, for CommonJS, by V8), which for all of luo takes longer than
 * Deno's own start; of a string it sees the end.
 *
 * The first line says which commit it is from (lib/version.ts).
 */
export async function bundle(root: string): Promise<Uint8Array> {
  const directory = await Deno.makeTempDir({ prefix: "luo-binary-" });
  try {
    const pieces = await chunks(root, directory);
    const build = JSON.stringify({ commit: await commit(root) });
    return new TextEncoder().encode(
      `globalThis.LUO_BINARY=${build};\nconst chunks=${JSON.stringify(pieces)};\n${LOADER}`,
    );
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** CommonJS, as far as the chunks need it. sourceURL is what stack traces call a chunk. */
const LOADER = `const loaded = {};
function require(name) {
  if (!Object.hasOwn(chunks, name)) return process.getBuiltinModule(name);
  let module = loaded[name];
  if (module === undefined) {
    module = loaded[name] = { exports: {} };
    const text = "(function(exports,require,module){" + chunks[name] + "\\n})\\n//# sourceURL=" + name;
    (0, eval)(text)(module.exports, require, module);
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
