/** Whether a value is what its description says. */
import { safeParse } from "valibot";
import { type Fields, struct } from "./parts.ts";

/** The name of the first field that is missing or of another type; undefined when all are right. */
export function wrongField(fields: Fields, value: object): string | undefined {
  const { issues: [issue] = [] } = safeParse(struct(fields), value, { abortEarly: true });
  return issue === undefined ? undefined : String(issue.path?.[0]?.key);
}
