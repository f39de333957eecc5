/** `luo put`: stores a small value that survives every kexec. */
import { buildCommand } from "./base/build_command.ts";
import { VALUE_MAX } from "../lib/agent/value_limits.ts";
import type { Methods } from "../lib/agent/protocol.ts";
import { type CommonFlags, commonFlags, docs, perform } from "./arguments/command.ts";
import { keyArgument, parseKey } from "./arguments/key.ts";
import { textArgument } from "./arguments/text_argument.ts";
import type { Context } from "./base/context.ts";
import { size } from "./base/size.ts";
import { operand, visible } from "./base/text.ts";
import { Failure } from "./errors/failure.ts";
import { call } from "./processes/agent_calls.ts";
import { standardInput } from "./processes/standard_input.ts";

interface Request {
  readonly key: string;
  /** Undefined: standard input. */
  readonly text?: string;
}

type Result = Methods["PutValue"]["reply"];

export function parse(_flags: CommonFlags, key: string, text?: string): Request {
  return { key: parseKey(key), ...text === undefined ? {} : { text } };
}

export async function run(context: Context, { key, text }: Request, flags: CommonFlags): Promise<Result> {
  const bytes = text === undefined ? await readInput(context, key) : new TextEncoder().encode(text);
  if (bytes.length > VALUE_MAX) {
    throw new Failure("bad-request", `Cannot put "${key}": a value has at most ${VALUE_MAX} bytes`, {
      subject: key,
      hints: [
        "more goes into a kept session: luo session create NAME --keep, luo file preserve NAME --stdin --token 1",
      ],
    });
  }
  return call(context, flags, "PutValue", { key, base64: bytes.toBase64() });
}

/** Standard input to its end, or a little more than a value may have. */
async function readInput(context: Context, key: string): Promise<Uint8Array> {
  // The value would be the requests that follow.
  if (context.inputTaken) {
    throw new Failure(
      "usage",
      `Cannot put "${key}" without its value in a batch: standard input has requests`,
      {
        hints: ["give the value: luo put KEY TEXT", "an empty value is an empty word"],
      },
    );
  }
  const { checkStandard } = await import("../lib/files/standard_streams.ts");
  checkStandard(0, "read", "standard input");
  const bytes = new Uint8Array(VALUE_MAX + 1);
  let at = 0;
  while (at < bytes.length) {
    const got = await standardInput.read(bytes.subarray(at));
    if (got === null) break;
    at += got;
  }
  if (at === 0) throw emptyInput(key);
  return bytes.subarray(0, at);
}

/** `luo put KEY $UNSET` of a script without a terminal, and the end of a pipe that failed, would replace the value by nothing. */
function emptyInput(key: string): Failure {
  return new Failure("bad-request", `Cannot put "${key}": standard input is empty`, {
    subject: key,
    hints: [`an empty value is an empty word: luo put ${operand(key)} ''`],
  });
}

export function format({ value }: Result): string {
  return `Put "${visible(value.key)}": ${size(value.size)}`;
}

export const command = buildCommand<CommonFlags, [string, string?], Context>({
  docs: docs(
    "Store a small value that survives every kexec",
    "The value is TEXT, or standard input with all its bytes: at most 64 KiB, and 16 MiB with all keys and values. It replaces\n" +
      "the one there as a whole: when the command fails, the old value is there. It survives the agent's death too. A key has 1\n" +
      "to 255 bytes, without control characters. An empty value is an empty word: standard input must have a byte. More data goes into a kept session: luo session create NAME --keep.",
    [
      ["luo put deploy/version 1.4.2", "a word"],
      ["tar c state | luo put state", "bytes from standard input"],
    ],
  ),
  parameters: {
    flags: commonFlags,
    positional: {
      kind: "tuple",
      parameters: [
        keyArgument("The name of the value"),
        {
          brief: "The value; without it, standard input",
          parse: textArgument,
          placeholder: "TEXT",
          optional: true,
        },
      ],
    },
  },
  func(flags, key, text) {
    return perform(this, flags, { parse: () => parse(flags, key, text), run, format });
  },
});
