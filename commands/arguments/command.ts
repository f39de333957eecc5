import type { Backend, Context } from "../base/context.ts";
import { toFailure } from "../errors/to_failure.ts";
import type { Paint } from "../base/text.ts";

/** What every command takes. */
export interface CommonFlags {
  readonly json: boolean;
  readonly backend?: Backend;
  readonly socket?: string;
}

export const commonFlags = {
  json: {
    kind: "boolean",
    default: false,
    withNegated: false,
    brief: "Print JSON with stable keys, errors too",
  },
  backend: {
    kind: "enum",
    values: ["linux", "model"],
    optional: true,
    brief: "Which kernel: linux (default, or LUO_BACKEND) or the software model",
  },
  socket: {
    kind: "parsed",
    parse: String,
    optional: true,
    placeholder: "PATH",
    brief: "Where the agent listens (or LUO_SOCKET)",
  },
} as const;

/** `--force`, which says every time what is at stake. */
export function forceFlag(brief: string) {
  return { kind: "boolean", default: false, withNegated: false, brief } as const;
}

/** Help with examples: a command line and what it does. */
export function docs(
  brief: string,
  detail: string,
  examples: readonly (readonly [line: string, meaning: string])[],
  customUsage?: readonly string[],
) {
  const shown = examples.map(([line, meaning]) => `  # ${meaning}\n  ${line}`).join("\n");
  return { brief, fullDescription: `${brief}.\n\n${detail}\n\nEXAMPLES\n${shown}`, customUsage };
}

/** A verb's three parts: `parse` is pure and rejects all it can, `run` acts and returns data, `format` renders it. */
export interface Verb<Request, Result> {
  readonly parse: () => Request;
  readonly run: (context: Context, request: Request, flags: CommonFlags) => Result | Promise<Result>;
  /** The text, without the last newline. Undefined: nothing to print (the result went elsewhere). */
  readonly format: (result: Result, paint: Paint) => string | undefined;
}

/** Parse, run, print. What goes wrong comes back as a `Failure`, for `main.ts` to show. */
export async function perform<Request, Result>(
  context: Context,
  flags: CommonFlags,
  verb: Verb<Request, Result>,
): Promise<Error | void> {
  try {
    const result = await verb.run(context, verb.parse(), flags);
    const text = flags.json ? JSON.stringify(result) : verb.format(result, context.paint);
    if (text !== undefined) context.process.stdout.write(text + "\n");
  } catch (error) {
    return toFailure(error);
  }
}
