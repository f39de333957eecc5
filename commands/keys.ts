/** `luo keys`: the keys of all values of `luo put`. */
import { buildCommand } from "./base/build_command.ts";
import type { Methods } from "../lib/agent/protocol.ts";
import type { Answers } from "../lib/schema/answer_types.ts";
import { type CommonFlags, commonFlags, docs, perform } from "./arguments/command.ts";
import { textArgument } from "./arguments/text_argument.ts";
import type { Context } from "./base/context.ts";
import { call } from "./processes/agent_calls.ts";

type Result = Answers["keys"];

const PAGE_KEYS = 5000;

export function parse(_flags: CommonFlags, prefix = ""): string {
  return prefix;
}

export function run(context: Context, prefix: string, flags: CommonFlags): Result {
  const values: Methods["ListValues"]["reply"]["values"] = [];
  let after: string | undefined;
  do {
    const request = { prefix, limit: PAGE_KEYS, ...after === undefined ? {} : { after } };
    const page = call(context, flags, "ListValues", request);
    values.push(...page.values);
    after = page.next;
  } while (after !== undefined);
  return { values };
}

/** A key has no control characters: a line for each. */
export function format({ values }: Result): string | undefined {
  return values.length === 0 ? undefined : values.map(({ key }) => key).join("\n");
}

export const command = buildCommand<CommonFlags, [string?], Context>({
  docs: docs(
    "List the keys of luo put",
    "One a line, in their order. Nothing is printed when there are none.",
    [
      ["luo keys", "all of them"],
      ['luo keys deploy/ | while read -r key; do luo drop "$key"; done', "those with a prefix, each removed"],
    ],
  ),
  parameters: {
    flags: commonFlags,
    positional: {
      kind: "tuple",
      parameters: [{
        brief: "Only keys that begin with this",
        parse: textArgument,
        placeholder: "PREFIX",
        optional: true,
      }],
    },
  },
  func(flags, prefix) {
    return perform(this, flags, { parse: () => parse(flags, prefix), run, format, onlyReads: true });
  },
});
