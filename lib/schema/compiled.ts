/** A schema as one function, for large values: several times as fast as valibot, because a value is only looked at. */
import { is } from "valibot";
import type { Schema } from "./parts.ts";

/** Whether a value is what the schema describes. */
export type Check = (value: unknown) => boolean;

/** The members of valibot's schemas that are read here, by `type`. */
interface Inner {
  readonly type: string;
  readonly entries?: Readonly<Record<string, Schema>>;
  readonly item?: Schema;
  readonly options?: readonly unknown[];
  readonly wrapped?: Schema;
  readonly pipe?: readonly [Schema, ...Action[]];
}

/** An item of a pipe after the schema. */
interface Action {
  readonly type: string;
  readonly requirement?: unknown;
}

/** The check of a schema. What is not known here is left to valibot. */
export function compiled(schema: Schema): Check {
  const { type, entries = {}, item, options = [], wrapped, pipe } = schema as Schema & Inner;
  if (pipe !== undefined) return piped(schema, pipe);
  switch (type) {
    case "string":
      return (value) => typeof value === "string";
    case "boolean":
      return (value) => typeof value === "boolean";
    case "number":
      return (value) => typeof value === "number" && !Number.isNaN(value);
    case "unknown":
      return () => true;
    case "picklist":
      return (value) => options.includes(value);
    case "array":
      return item === undefined ? byValibot(schema) : list(compiled(item));
    case "optional":
      return wrapped === undefined ? byValibot(schema) : optional(compiled(wrapped));
    case "object":
      return struct(entries);
    default:
      return byValibot(schema);
  }
}

function byValibot(schema: Schema): Check {
  return (value) => is(schema, value);
}

function list(item: Check): Check {
  return (value) => Array.isArray(value) && value.every((one) => item(one));
}

function optional(wrapped: Check): Check {
  return (value) => value === undefined || wrapped(value);
}

/** valibot wants a required field to be there, even one that may be undefined. */
function struct(entries: Readonly<Record<string, Schema>>): Check {
  const fields = Object.entries(entries).map(([name, schema]) => ({
    name,
    check: compiled(schema),
    required: (schema as Schema & Inner).type !== "optional",
  }));
  return (value) => {
    if (typeof value !== "object" || value === null) return false;
    const record = value as Record<string, unknown>;
    return fields.every(({ name, check, required }) => check(record[name]) && (!required || name in record));
  };
}

/** Actions after the schema check more, or only say what it means. */
function piped(schema: Schema, [first, ...actions]: readonly [Schema, ...Action[]]): Check {
  const checks: Check[] = [compiled(first)];
  for (const { type, requirement } of actions) {
    if (["title", "description", "metadata"].includes(type)) continue;
    if (type === "integer") checks.push(Number.isInteger);
    else if (type === "safe_integer") checks.push(Number.isSafeInteger);
    else if (type === "value") checks.push((value) => value === requirement);
    else if (type === "regex" && requirement instanceof RegExp && !requirement.global) {
      checks.push((value) => requirement.test(value as string));
    } else return byValibot(schema);
  }
  const [only, ...others] = checks;
  if (only !== undefined && others.length === 0) return only;
  return (value) => checks.every((check) => check(value));
}
