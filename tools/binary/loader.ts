/** The script of the single executable: the program's first part, and how the rest is found in memory. */

/** The places of all texts. */
export interface Places {
  /** The variable of the start program after which the texts lie, with all the variables of it that come before them. */
  readonly variable: string;
  /** From the variable's first byte to the first text. */
  readonly offset: number;
  /** The places of two texts: the JSON of the places of all chunks, and of all help pages, by their names. */
  readonly chunks: number;
  readonly help: number;
}

/** The first text, which the script compares, so that it takes no other memory for the texts. */
export const MARK = "luo's texts";

/**
 * A module of JavaScript. `first` are the chunks that every command line needs: they are part of the module. Deno reads a module three
 * times (for its imports, for CommonJS, by V8), which for all of luo takes a quarter of Deno's own start. So the other chunks are
 * strings in the executable's memory, after the variables that the start program gave to the C library (stub.ts).
 */
export function script(commit: string, places: Places, first: Readonly<Record<string, string>>): string {
  const functions = Object.entries(first).map(([name, text]) =>
    `${JSON.stringify(name)}:${asFunction(text)}`
  );
  return `const places=${JSON.stringify(places)};
const chunks={${functions.join(",\n")}};
${TEXTS}
function define(name) {
  if (Object.hasOwn(chunks, name)) return chunks[name];
  table ??= JSON.parse(text(places.chunks));
  return (0, eval)(text(table[name]));
}
${LINKER}
globalThis.LUO_BINARY={commit:${JSON.stringify(commit)},help(key){
  const pages=JSON.parse(text(places.help));
  return Object.hasOwn(pages,key)?text(pages[key]):undefined}};
load("luo:main");
`;
}

/** A chunk as an expression. V8 compiles it at once because of the parentheses. */
export function asFunction(text: string): string {
  return `(function(provide,require,module,exports){${text}\n})`;
}

const TEXTS = `let memory, table;
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
}`;

/**
 * Functions that link chunks. `require` gives an object with the exports of a chunk. The chunk runs when the first of them is read: no
 * module of luo does anything while it loads, so that nothing can tell. `define` must give the function of a chunk.
 */
export const LINKER = `const linked = {};
function require(name) {
  return linked[name] ??= name.startsWith("luo:") ? link(name) : process.getBuiltinModule(name);
}
function link(name) {
  let loading = false;
  const get = (_, key) => {
    if (loading) throw new ReferenceError(name + " is used before it is loaded");
    loading = true;
    try {
      load(name, provide);
    } finally {
      loading = false;
    }
    return exported[key];
  };
  const exported = Object.create(new Proxy({}, {get}));
  const provide = (values) => {
    // From now on a name that the chunk does not export is undefined.
    Object.setPrototypeOf(exported, null);
    Object.assign(exported, values);
  };
  return exported;
}
function load(name, provide) {
  const module = {exports: {}};
  define(name)(provide, require, module, module.exports);
  if (Object.keys(module.exports).length > 0) provide(module.exports);
}`;
