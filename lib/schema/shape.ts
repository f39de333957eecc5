/** A schema as plain data. All texts that are made from a schema (Varlink, JSON Schema, ...) start from this data. */
import type { Schema } from "./parts.ts";

/** The kind of a value. A `name` refers to a type that has its own description. */
export type Kind =
  | { readonly kind: "string"; readonly pattern?: string }
  | { readonly kind: "int" }
  | { readonly kind: "bool" }
  | { readonly kind: "any" }
  | { readonly kind: "words"; readonly words: readonly string[]; readonly meanings?: Meanings }
  | { readonly kind: "list"; readonly of: Shape }
  | { readonly kind: "map"; readonly of: Shape }
  | { readonly kind: "struct"; readonly fields: readonly Field[] }
  | { readonly kind: "name"; readonly name: string };

/** Words, each with its meaning. */
export type Meanings = Readonly<Record<string, string>>;

/** A kind and what it means in this place. */
export type Shape = Kind & { readonly about?: string };

/** One field of a struct. */
export interface Field {
  /** Its key. */
  readonly name: string;
  /** Whether it may be left out. */
  readonly optional: boolean;
  /** Its value. */
  readonly shape: Shape;
}

/** A named type. */
export interface NamedType {
  /** `Session`. */
  readonly name: string;
  /** The kind that it names, and its meaning. */
  readonly shape: Shape;
}

/** The members of valibot's schemas that are read here, by `type`. */
interface Inner {
  readonly entries?: Readonly<Record<string, Schema>>;
  readonly item?: Schema;
  readonly value?: Schema;
  readonly options?: readonly string[];
  readonly wrapped?: Schema;
  readonly pipe?: readonly [Schema, ...Action[]];
}

/** An item of a pipe after the schema. */
interface Action {
  readonly type: string;
  readonly title?: string;
  readonly description?: string;
  readonly requirement?: unknown;
  readonly metadata?: { readonly meanings?: Meanings };
}

/** A value of this schema, as another description refers to it. */
export function shapeOf(schema: Schema): Shape {
  const { shape, name } = read(schema);
  return name === undefined ? shape : { kind: "name", name };
}

/** The type that a schema defines. @throws TypeError it has no name */
export function namedType(schema: Schema): NamedType {
  const { shape, name } = read(schema);
  if (name === undefined) throw new TypeError("Cannot describe a type without a name");
  return { name, shape };
}

/** The fields of a struct. @throws TypeError it is none */
export function fieldsOf(shape: Shape): readonly Field[] {
  if (shape.kind !== "struct") throw new TypeError(`Cannot list the fields of a ${shape.kind}`);
  return shape.fields;
}

function read(schema: Schema & Inner): { shape: Shape; name?: string } {
  if (schema.pipe === undefined) return { shape: bare(schema) };
  const [first, ...actions] = schema.pipe;
  const inner = read(first);
  const name = inner.name ?? actions.find(({ type }) => type === "title")?.title;
  const meaning = actions.findLast(({ type }) => type === "description")?.description;
  const pattern = actions.find(({ type }) => type === "regex")?.requirement;
  // A named type that is given another meaning is a reference to it: the meaning belongs to the place, not to the type.
  const base: Shape = inner.name === undefined ? inner.shape : { kind: "name", name: inner.name };
  const meanings = actions.find(({ type }) => type === "metadata")?.metadata?.meanings;
  const shape: Shape = pattern instanceof RegExp
    ? { kind: "string", pattern: pattern.source }
    : base.kind === "words" && meanings !== undefined
    ? { ...base, meanings }
    : base;
  return {
    shape: meaning === undefined ? shape : { ...shape, about: meaning },
    ...inner.name === undefined && name !== undefined ? { name } : {},
  };
}

function bare(schema: Schema & Inner): Shape {
  switch (schema.type) {
    case "string":
      return { kind: "string" };
    case "number":
      return { kind: "int" };
    case "boolean":
      return { kind: "bool" };
    case "unknown":
      return { kind: "any" };
    case "picklist":
      return { kind: "words", words: schema.options ?? [] };
    case "array":
      return { kind: "list", of: shapeOf(part(schema.item)) };
    case "record":
      return { kind: "map", of: shapeOf(part(schema.value)) };
    case "object":
      return { kind: "struct", fields: Object.entries(part(schema.entries)).map(field) };
    default:
      throw new TypeError(`Cannot describe a ${schema.type}`);
  }
}

function field([name, schema]: [string, Schema & Inner]): Field {
  const { wrapped } = schema;
  if (schema.pipe === undefined && wrapped !== undefined) {
    return { name, optional: true, shape: shapeOf(wrapped) };
  }
  return { name, optional: false, shape: shapeOf(schema) };
}

function part<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError("Cannot read this schema: valibot made it otherwise");
  return value;
}
