/** `luo get`: prints a value of `luo put`. */
import { buildCommand } from "./base/build_command.ts";
import { AgentError } from "../lib/agent/client.ts";
import type { Answers } from "../lib/schema/answer_types.ts";
import { type CommonFlags, commonFlags, docs, perform } from "./arguments/command.ts";
import { keyArgument, parseKey } from "./arguments/key.ts";
import { textArgument } from "./arguments/text_argument.ts";
import type { Context } from "./base/context.ts";
import { call } from "./processes/agent_calls.ts";

export interface Flags extends CommonFlags {
  readonly default?: string;
}

interface Request {
  readonly key: string;
  readonly default?: string;
  /** Write the bytes to standard output: JSON carries them otherwise. */
  readonly raw: boolean;
}

type Result = Answers["get"];

export function parse(flags: Flags, key: string): Request {
  return {
    key: parseKey(key),
    raw: !flags.json,
    ...flags.default === undefined ? {} : { default: flags.default },
  };
}

export async function run(context: Context, request: Request, flags: CommonFlags): Promise<Result> {
  const { value, base64 } = fetch(context, request, flags);
  const bytes = Uint8Array.fromBase64(base64);
  if (request.raw) await writeOut(bytes);
  return { ...value === undefined ? {} : { value }, base64, ...asText(bytes) };
}

function fetch(context: Context, request: Request, flags: CommonFlags): Result {
  try {
    return call(context, flags, "GetValue", { key: request.key });
  } catch (error) {
    const absent = error instanceof AgentError && error.is("NoSuchKey");
    if (!absent || request.default === undefined) throw error;
    return { base64: new TextEncoder().encode(request.default).toBase64() };
  }
}

/** The value may be any bytes, and nothing is added to them. */
async function writeOut(bytes: Uint8Array): Promise<void> {
  const { checkStandard } = await import("../lib/files/standard_streams.ts");
  const { writeAll } = await import("../lib/files/transfer.ts");
  checkStandard(1, "write", "standard output");
  writeAll({ fd: 1, name: "standard output" }, bytes);
}

function asText(bytes: Uint8Array): { text?: string } {
  try {
    return { text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return {};
  }
}

export const command = buildCommand<Flags, [string], Context>({
  docs: docs(
    "Print a value of luo put",
    "Its bytes go to standard output as they are, with no newline after them. Without a\n" +
      "value under the key the exit code is 7, unless --default says what to print.",
    [
      ["luo get deploy/version", "the bytes that were put"],
      ["n=$(luo get boots --default 0)", "in a script that may be the first to ask"],
    ],
  ),
  parameters: {
    flags: {
      default: {
        kind: "parsed",
        parse: textArgument,
        optional: true,
        placeholder: "TEXT",
        brief: "Print this when there is no value",
      },
      ...commonFlags,
    },
    positional: { kind: "tuple", parameters: [keyArgument("The name of the value")] },
  },
  func(flags, key) {
    return perform(this, flags, {
      parse: () => parse(flags, key),
      run,
      format: () => undefined,
      onlyReads: true,
    });
  },
});
