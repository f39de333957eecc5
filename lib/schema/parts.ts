/** The parts that every description is made of: valibot schemas with names and meanings that `shape.ts` reads back. */
import {
  array,
  boolean,
  description,
  type GenericSchema,
  integer,
  metadata,
  number,
  object,
  optional,
  picklist,
  pipe,
  record,
  regex,
  safeInteger,
  string,
  title,
  unknown,
  value,
} from "valibot";

/** A valibot schema of any kind. */
export type Schema = GenericSchema;

/** The fields of a struct by name, in the order in which documents list them. */
export type Fields = Readonly<Record<string, Schema>>;

/** Any text. */
export const text: Schema = string();

/** A whole number. Sizes of sparse files can be above 2^53, so an answer or a journal with one is still read. */
export const int: Schema = pipe(number(), integer());

/** A whole number that JSON carries exactly: for requests. */
export const exactInt: Schema = pipe(number(), safeInteger());

/** One number and no other: a version. */
export function exactly(wanted: number): Schema {
  return pipe(number(), value(wanted));
}

/** A point in time. */
export const time: Schema = pipe(string(), description("RFC 3339, in UTC"));

/** A size. */
export const bytes: Schema = pipe(int, description("Bytes"));

/** True or false. */
export const bool: Schema = boolean();

/** A u64 in decimal. A request takes any text instead: the agent says itself what is wrong with a token. */
export const token: Schema = pipe(string(), regex(/^\d{1,20}$/), description("A u64 in decimal"));

/** A value whose form is described elsewhere. */
export const anything: Schema = unknown();

/** One of these words, each with its meaning. */
export function words(meanings: Readonly<Record<string, string>>): Schema {
  const about = Object.entries(meanings).map(([word, meaning]) => `${word}: ${meaning}.`).join(" ");
  return pipe(picklist(Object.keys(meanings)), description(about), metadata({ meanings }));
}

/** One of these words, which need no explanation. */
export function oneOf(...list: readonly string[]): Schema {
  return picklist(list);
}

/** Any number of these. */
export function list(of: Schema): Schema {
  return array(of);
}

/** Text keys with values of one kind. */
export function map(of: Schema): Schema {
  return record(string(), of);
}

/** An object with these fields. Fields that are not described pass the check: another version may have written them. */
export function struct(fields: Fields): Schema {
  return object(fields);
}

/** A field that may be left out. It is never null. */
export function maybe(schema: Schema): Schema {
  return optional(schema);
}

/** The schema with what it means here. */
export function about(schema: Schema, meaning: string): Schema {
  return pipe(schema, description(meaning));
}

/** A type with a name of its own: other descriptions refer to it by that name. */
export function named(name: string, schema: Schema, meaning?: string): Schema {
  return meaning === undefined ? pipe(schema, title(name)) : pipe(schema, title(name), description(meaning));
}
