/** Reads the source as text: its files and their imports. */

const ROOT = new URL("../..", import.meta.url).pathname;

export interface Source {
  /** From the top of the checkout. */
  readonly path: string;
  /** Without comments. */
  readonly code: string;
  readonly text: string;
}

export interface Import {
  readonly from: string;
  /** Resolved from the top of the checkout, or the name of a package. */
  readonly to: string;
  /** Imports types only, and so nothing at run time. */
  readonly types: boolean;
  /** Loaded when it is needed, not with the file. */
  readonly lazy: boolean;
}

/** main.ts and all of commands/, lib/ and ffi/. */
export function readSources(): readonly Source[] {
  return [readSource("main.ts"), ...sourcesBelow("commands"), ...sourcesBelow("lib"), ...sourcesBelow("ffi")];
}

/** All TypeScript files of a directory and the directories in it. */
export function sourcesBelow(directory: string): readonly Source[] {
  return filesBelow(directory).map(readSource);
}

function readSource(path: string): Source {
  const text = Deno.readTextFileSync(ROOT + path);
  return { path, text, code: text.replace(/\/\*[^]*?\*\//g, "").replace(/(^|\s)\/\/.*$/gm, "$1") };
}

function filesBelow(directory: string): string[] {
  return Array.from(Deno.readDirSync(ROOT + directory)).flatMap(({ name, isDirectory }) => {
    const path = `${directory}/${name}`;
    return isDirectory ? filesBelow(path) : path.endsWith(".ts") ? [path] : [];
  }).sort();
}

export function importsOf(sources: readonly Source[]): readonly Import[] {
  return sources.flatMap(({ path, code }) =>
    Array.from(
      code.matchAll(
        /\b(import|export)\s+(type\s)?(?:[\w*{][^;"]*?\sfrom\s+)?"([^"]+)"|\bimport\(\s*"([^"]+)"/g,
      ),
      ([, , type, fixed, lazy]) => {
        const specifier = fixed ?? lazy ?? "";
        const to = specifier.startsWith(".")
          ? new URL(specifier, `file:///${path}`).pathname.slice(1)
          : specifier;
        return { from: path, to, types: type !== undefined, lazy: fixed === undefined };
      },
    )
  );
}
