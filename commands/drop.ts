/** `luo drop`: removes a value of `luo put`. */
import { buildCommand } from "./base/build_command.ts";
import type { Methods } from "../lib/agent/protocol.ts";
import { type CommonFlags, commonFlags, docs, perform } from "./arguments/command.ts";
import { keyArgument, parseKey } from "./arguments/key.ts";
import type { Context } from "./base/context.ts";
import { size } from "./base/size.ts";
import { visible } from "./base/text.ts";
import { call } from "./processes/agent_calls.ts";

type Result = Methods["DropValue"]["reply"];

export function parse(_flags: CommonFlags, key: string): string {
  return parseKey(key);
}

export function run(context: Context, key: string, flags: CommonFlags): Result {
  return call(context, flags, "DropValue", { key });
}

export function format({ value }: Result): string {
  return `Dropped "${visible(value.key)}": ${size(value.size)}`;
}

export const command = buildCommand<CommonFlags, [string], Context>({
  docs: docs(
    "Remove a value of luo put",
    "The key and its value are gone at once. Without a value under the key the exit\ncode is 7.",
    [["luo drop deploy/version", "it is not needed any more"]],
  ),
  parameters: {
    flags: commonFlags,
    positional: { kind: "tuple", parameters: [keyArgument("The name of the value")] },
  },
  func(flags, key) {
    return perform(this, flags, { parse: () => parse(flags, key), run, format });
  },
});
