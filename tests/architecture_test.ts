/** What the source must keep to, whoever changes it. Files are read as text: nothing here runs them. */
import assert from "node:assert/strict";

const ROOT = new URL("..", import.meta.url).pathname;

interface Source {
  readonly path: string;
  /** Without comments. */
  readonly code: string;
  readonly text: string;
}

const SOURCES: readonly Source[] = [
  "main.ts",
  ...filesBelow("commands"),
  ...filesBelow("lib"),
  ...filesBelow("ffi"),
]
  .map((path) => {
    const text = Deno.readTextFileSync(ROOT + path);
    return { path, text, code: text.replace(/\/\*[^]*?\*\//g, "").replace(/(^|\s)\/\/.*$/gm, "$1") };
  });

function filesBelow(directory: string): string[] {
  return Array.from(Deno.readDirSync(ROOT + directory)).flatMap(({ name, isDirectory }) => {
    const path = `${directory}/${name}`;
    return isDirectory ? filesBelow(path) : path.endsWith(".ts") ? [path] : [];
  }).sort();
}

interface Import {
  readonly from: string;
  /** Resolved from the top of the checkout, or the name of a package. */
  readonly to: string;
  readonly types: boolean;
}

const IMPORTS: readonly Import[] = SOURCES.flatMap(({ path, code }) =>
  Array.from(
    code.matchAll(
      /\b(import|export)\s+(type\s)?(?:[\w*{][^;"]*?\sfrom\s+)?"([^"]+)"|\bimport\(\s*"([^"]+)"/g,
    ),
    ([, , type, fixed, lazy]) => {
      const specifier = fixed ?? lazy ?? "";
      const to = specifier.startsWith(".")
        ? new URL(specifier, `file:///${path}`).pathname.slice(1)
        : specifier;
      return { from: path, to, types: type !== undefined };
    },
  )
);

/** The files for which a rule is broken, each with what breaks it. */
function offenders(breaks: (source: Source) => string | undefined): string[] {
  return SOURCES.flatMap((source) => {
    const how = breaks(source);
    return how === undefined ? [] : [`${source.path}: ${how}`];
  });
}

const LAYERS: readonly string[] = ["ffi", "lib", "commands", "main.ts"];
const layer = (path: string) => LAYERS.indexOf(path.split("/")[0] ?? "");

Deno.test("the sources are found, and their imports", () => {
  assert.ok(SOURCES.length > 50 && IMPORTS.length > 100);
  assert.ok(IMPORTS.some(({ from, to }) => from === "main.ts" && to === "commands/cli/application.ts"));
});

Deno.test("main imports commands, commands lib, lib ffi, and never the other way", () => {
  const back = IMPORTS.filter(({ from, to, types }) =>
    // The seam is nothing but types: what answers it must name them.
    layer(to) > layer(from) && !(types && to === "lib/system_calls.ts")
  );
  assert.deepEqual(back, []);
});

Deno.test("nothing imports what is not there", () => {
  const paths = new Set(SOURCES.map(({ path }) => path));
  assert.deepEqual(IMPORTS.filter(({ to }) => to.endsWith(".ts") && !paths.has(to)), []);
});

Deno.test("foreign functions and raw pointers are in ffi/ only, the one dlopen in ffi/libc.ts", () => {
  const raw = /\bDeno\.(dlopen|Unsafe\w+)/;
  assert.deepEqual(
    offenders(({ path, code }) => path.startsWith("ffi/") ? undefined : raw.exec(code)?.[0]),
    [],
  );
  assert.deepEqual(
    SOURCES.filter(({ code }) => code.includes("Deno.dlopen(")).map(({ path }) => path),
    ["ffi/libc.ts"],
  );
});

Deno.test("arguments, environment and exit are main.ts's", () => {
  const word = /\bDeno\.(exit|args|env)\b/;
  assert.deepEqual(offenders(({ path, code }) => path === "main.ts" ? undefined : word.exec(code)?.[0]), []);
});

Deno.test("the model is plain TypeScript: of ffi/ it sees the ABI, of lib/ the seam and KHO's formats, of Deno only the files of its disk", () => {
  const model = (path: string) => path.startsWith("lib/model/");
  const allowed = /^(lib\/model\/|lib\/kho\/|lib\/kernel\.ts|ffi\/abi\/)/;
  assert.deepEqual(IMPORTS.filter(({ from, to }) => model(from) && !allowed.test(to)), []);
  const outside = ({ path }: Source) => !model(path) || path === "lib/model/fs/host_disk.ts";
  assert.deepEqual(
    offenders((source) => outside(source) ? undefined : /\bDeno\.\w+/.exec(source.code)?.[0]),
    [],
  );
});

Deno.test("the ABI is pure data", () => {
  const abi = (path: string) => path.startsWith("ffi/abi/");
  assert.deepEqual(IMPORTS.filter(({ from, to, types }) => abi(from) && !abi(to) && !types), []);
});

Deno.test("packages are the pinned ones, and tests' own are not in the program", () => {
  const pinned: Record<string, string> = JSON.parse(Deno.readTextFileSync(`${ROOT}deno.json`)).imports;
  for (const [name, version] of Object.entries(pinned)) {
    assert.match(version, new RegExp(`^npm:${name}@\\d+\\.\\d+\\.\\d+$`));
  }
  const outside = IMPORTS.map(({ to }) => to)
    .filter((to) => !/^node:|\.ts$|^deno\.json$/.test(to));
  assert.deepEqual(outside.filter((name) => !(name in pinned) || name === "fast-check"), []);
});

Deno.test("no enum, no any, no double cast, no dumping grounds", () => {
  const word = /\benum\s+\w+\s*\{|[:<]\s*any\b|\bas any\b|\bas unknown as\b/;
  assert.deepEqual(offenders(({ code }) => word.exec(code)?.[0]), []);
  assert.deepEqual(offenders(({ path }) => /\/(utils|helpers|common|mod)\.ts$/.exec(path)?.[0]), []);
});

Deno.test("files stay small", () => {
  assert.deepEqual(
    offenders(({ text }) => {
      const lines = text.split("\n").length;
      return lines > 400 ? `${lines} lines` : undefined;
    }),
    [],
  );
});

Deno.test("whoever opens a file of ffi/ or lib/ is told what it is for", () => {
  assert.deepEqual(
    offenders(({ path, text }) =>
      /^(ffi|lib)\//.test(path) && !text.includes("/**") ? "no documentation at all" : undefined
    ),
    [],
  );
});

Deno.test("every function and class that the library exports is documented", () => {
  const exported = new Set(IMPORTS.filter(({ from }) => from === "lib/luo.ts").map(({ to }) => to));
  assert.ok(exported.size > 4);
  const bare = /(?<!\*\/\n)^export (?:async )?(?:function|class) \w+/m;
  assert.deepEqual(
    offenders(({ path, text }) => exported.has(path) ? bare.exec(withoutOverloads(text))?.[0] : undefined),
    [],
  );
});

/** The first signature of an overloaded function carries the docs. */
function withoutOverloads(text: string): string {
  return text.replace(/^(export function (\w+)\b[^{]*?;\n)(export function \2\b[^{]*?[;{]\n)+/gm, "$1");
}
