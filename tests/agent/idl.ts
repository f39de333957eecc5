/** A reader of Varlink interface descriptions (https://varlink.org/Interface-Definition), as far as a test of ours needs one. */
import assert from "node:assert/strict";

export type Type =
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "optional" | "array" | "map"; readonly of: Type }
  | { readonly kind: "enum"; readonly words: readonly string[] }
  | { readonly kind: "struct"; readonly fields: ReadonlyMap<string, Type> };

export type Struct = Extract<Type, { kind: "struct" }>;

export interface Description {
  readonly name: string;
  readonly types: ReadonlyMap<string, Type>;
  readonly methods: ReadonlyMap<string, { readonly input: Struct; readonly output: Struct }>;
  readonly errors: ReadonlyMap<string, Struct>;
  /** Members with no comment right above them. */
  readonly uncommented: readonly string[];
}

export function parseDescription(text: string): Description {
  const lines = text.split("\n");
  const uncommented = lines.flatMap((line, at) =>
    /^(type|method|error|interface) /.test(line) && !lines[at - 1]?.startsWith("#") ? [line] : []
  );
  const parser = new Parser(text.replace(/#.*$/gm, "").match(/->|\[string\]|\[\]|[A-Za-z_][\w.]*|\S/g) ?? []);
  return { ...parser.description(), uncommented };
}

class Parser {
  #at = 0;

  constructor(readonly tokens: readonly string[]) {}

  description(): Omit<Description, "uncommented"> {
    this.#expect("interface");
    const name = this.#next();
    const types = new Map<string, Type>();
    const methods = new Map<string, { input: Struct; output: Struct }>();
    const errors = new Map<string, Struct>();
    while (this.#at < this.tokens.length) {
      const member = this.#next();
      const of = this.#next();
      assert.ok(!types.has(of) && !methods.has(of) && !errors.has(of), `${of} is there twice`);
      if (member === "type") types.set(of, this.#parentheses());
      else if (member === "error") errors.set(of, this.#struct());
      else {
        assert.equal(member, "method");
        const input = this.#struct();
        this.#expect("->");
        methods.set(of, { input, output: this.#struct() });
      }
    }
    return { name, types, methods, errors };
  }

  #next(): string {
    const token = this.tokens[this.#at++];
    assert.ok(token !== undefined, "the description ends too early");
    return token;
  }

  #expect(token: string): void {
    assert.equal(this.#next(), token);
  }

  #struct(): Struct {
    const type = this.#parentheses();
    assert.ok(type.kind === "struct", "a struct is expected");
    return type;
  }

  #parentheses(): Type {
    this.#expect("(");
    const fields = new Map<string, Type>();
    const words: string[] = [];
    for (let token = this.#next(); token !== ")"; token = this.#next()) {
      if (token === ",") continue;
      if (this.tokens[this.#at] !== ":") {
        words.push(token);
        continue;
      }
      this.#expect(":");
      fields.set(token, this.#type());
    }
    assert.ok(words.length === 0 || fields.size === 0, "half an enum, half a struct");
    return words.length > 0 ? { kind: "enum", words } : { kind: "struct", fields };
  }

  #type(): Type {
    const token = this.#next();
    if (token === "?") return { kind: "optional", of: this.#type() };
    if (token === "[]") return { kind: "array", of: this.#type() };
    if (token === "[string]") return { kind: "map", of: this.#type() };
    if (token !== "(") return { kind: "name", name: token };
    this.#at--;
    return this.#parentheses();
  }
}

/** Fails unless `value` is what the description says, with nothing missing and nothing added. `path` is for the message. */
export function assertIs(description: Description, type: Type, value: unknown, path: string): void {
  switch (type.kind) {
    case "optional":
      if (value !== undefined) assertIs(description, type.of, value, path);
      return;
    case "array":
      assert.ok(Array.isArray(value), `${path} is no array`);
      return value.forEach((one, at) => assertIs(description, type.of, one, `${path}[${at}]`));
    case "map":
      return assert.fail(`${path}: nothing of ours is a map`);
    case "enum":
      return assert.ok(type.words.some((word) => word === value), `${path} is ${value}`);
    case "struct": {
      assert.ok(typeof value === "object" && value !== null, `${path} is no object`);
      const entries = new Map<string, unknown>(Object.entries(value));
      for (const name of entries.keys()) assert.ok(type.fields.has(name), `${path}.${name} is not described`);
      for (const [name, field] of type.fields) {
        assertIs(description, field, entries.get(name), `${path}.${name}`);
      }
      return;
    }
    case "name":
      return assertNamed(description, type.name, value, path);
  }
}

function assertNamed(description: Description, name: string, value: unknown, path: string): void {
  if (name === "string") return assert.equal(typeof value, "string", path);
  if (name === "bool") return assert.equal(typeof value, "boolean", path);
  if (name === "int") return assert.ok(Number.isSafeInteger(value), path);
  const type = description.types.get(name);
  assert.ok(type !== undefined, `${path}: type ${name} is not described`);
  assertIs(description, type, value, path);
}
