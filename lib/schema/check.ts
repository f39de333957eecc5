/** Whether a value is what its description says. */
import { is, safeParse } from "valibot";
import { type Fields, type Schema, struct } from "./parts.ts";

/** Whether `value` is what the schema describes. Fields that are not described are allowed. */
export function fits(schema: Schema, value: unknown): boolean {
  return is(schema, value);
}

/** The name of the first field that is missing or of another type; undefined when all are right. */
export function wrongField(fields: Fields, value: object): string | undefined {
  const { issues: [issue] = [] } = safeParse(struct(fields), value, { abortEarly: true });
  return issue === undefined ? undefined : String(issue.path?.[0]?.key);
}
