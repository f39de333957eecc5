/** The script of the single executable: the program's first part, and how the rest is found in memory. */

/** The places of all texts. */
export interface Places {
  /** The variable of the start program after which the texts lie, with all the variables of it that come before them. */
  readonly variable: string;
  /** From the variable's first byte to the first text. */
  readonly offset: number;
  /** The name and the place of each chunk and each help page, from the first text on. */
  readonly chunks: Readonly<Record<string, number>>;
  readonly help: Readonly<Record<string, number>>;
  /** The chunks that each chunk needs at once, by its name. */
  readonly needs: Readonly<Record<string, readonly string[]>>;
}

/** The first text, which the script compares, so that it takes no other memory for the texts. */
export const MARK = "luo's texts";

/**
 * A module of JavaScript. `first` are the chunks that every command line needs: they are part of the module. Deno reads a module three
 * times (for its imports, for CommonJS, by V8), which for all of luo takes a quarter of Deno's own start. So the other chunks are
 * strings in the executable's memory, after the variables that the start program gave to the C library (stub.ts). V8 sees a chunk
 * when it is asked for, together with the chunks that it needs.
 */
export function script(commit: string, places: Places, first: Readonly<Record<string, string>>): string {
  const functions = Object.entries(first).map(([name, text]) =>
    `${JSON.stringify(name)}:${asFunction(text)}`
  );
  return `const places=${JSON.stringify(places)};
const chunks={${functions.join(",\n")}};
${LOADER}
globalThis.LUO_BINARY={commit:${JSON.stringify(commit)},help(key){
  return Object.hasOwn(places.help,key)?text(places.help[key]):undefined}};
require("luo:main");
`;
}

function asFunction(text: string): string {
  return `(function(exports,require,module){${text}\n})`;
}

const LOADER = `let memory;
function text(place) {
  memory ??= find();
  return memory.getCString(places.offset + place);
}
function find() {
  const {symbols:{environ}} = Deno.dlopen("libc.so.6", {environ:{type:"pointer"}});
  const variables = new Deno.UnsafePointerView(new Deno.UnsafePointerView(environ).getPointer());
  for (let at = 0;; at += 8) {
    const variable = variables.getPointer(at);
    if (variable === null) throw new Error("Cannot find the program in memory");
    const view = new Deno.UnsafePointerView(variable);
    if (view.getCString() === places.variable && view.getCString(places.offset) === ${
  JSON.stringify(MARK)
}) return view;
  }
}
function define(name) {
  const names = new Set([name]);
  for (const one of names) for (const other of places.needs[one]) if (!Object.hasOwn(chunks, other)) names.add(other);
  const functions = Array.from(names, (one) => "(function(exports,require,module){" + text(places.chunks[one]) + "\\n})");
  const defined = (0, eval)("[" + functions.join(",") + "]\\n//# sourceURL=" + name);
  let at = 0;
  for (const one of names) chunks[one] = defined[at++];
}
const loaded = {};
function require(name) {
  let module = loaded[name];
  if (module === undefined) {
    if (!Object.hasOwn(places.needs, name)) return process.getBuiltinModule(name);
    if (!Object.hasOwn(chunks, name)) define(name);
    module = loaded[name] = {exports:{}};
    chunks[name](module.exports, require, module);
  }
  return module.exports;
}`;
