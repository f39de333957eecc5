/** The parts that all commands share: common flags, help with examples, and parse, run, format. */
import type { Backend, Context } from "../base/context.ts";
import { EXIT, type ExitCode } from "../base/exit_codes.ts";
import { Failure } from "../errors/failure.ts";
import { Ended } from "../errors/program_ended.ts";
import { parseSeconds } from "./token.ts";
import type { Paint } from "../base/text.ts";

/** Which kernel, which agent, and how results are printed. */
export interface ServerFlags {
  readonly json: boolean;
  readonly backend?: Backend;
  readonly socket?: string;
}

/** The flags of every command that talks to the agent. */
export interface CommonFlags extends ServerFlags {
  /** Seconds to wait for an answer of the agent; 0: no limit. Undefined: the default of the call. */
  readonly timeout?: number;
}

/** `--json`, which every command has. */
export const jsonFlag = {
  kind: "boolean",
  default: false,
  withNegated: false,
  brief: "Print JSON with stable keys, errors too",
} as const;

/** The flags of a command that serves: it has no answer to wait for. */
export const serverFlags = {
  json: jsonFlag,
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

export const commonFlags = {
  ...serverFlags,
  timeout: {
    kind: "parsed",
    parse: parseSeconds,
    optional: true,
    placeholder: "SECONDS",
    brief: "How long to wait for the agent's answer; 0: no limit",
  },
} as const;

/** `--force`; its brief says what may be lost. */
export function forceFlag(brief: string) {
  return { kind: "boolean", default: false, withNegated: false, brief } as const;
}

/** `--immediate` of the commands that execute a kexec. */
export const immediateFlag = {
  kind: "boolean",
  default: false,
  withNegated: false,
  brief: "Do not ask systemd: stop no services",
} as const;

/** Help with examples: command lines, each with its meaning. */
export function docs(
  brief: string,
  detail: string,
  examples: readonly (readonly [line: string, meaning: string])[],
  customUsage?: readonly string[],
) {
  const shown = examples.map(([line, meaning]) => `  # ${meaning}\n  ${line}`).join("\n");
  return { brief, fullDescription: `${brief}.\n\n${detail}\n\nEXAMPLES\n${shown}`, customUsage };
}

/** The three parts of a verb: `parse` is pure and rejects what it can, `run` acts and returns data, `format` renders the data. */
export interface Verb<Request, Result> {
  readonly parse: () => Request;
  readonly run: (context: Context, request: Request, flags: CommonFlags) => Result | Promise<Result>;
  /** The text, without the last newline. Undefined: there is nothing to print. */
  readonly format: (result: Result, paint: Paint) => string | undefined;
  /** The exit code of a command that has done its work. Default: 0. */
  readonly exit?: (result: Result) => ExitCode;
  /** The command changes nothing: without its output it did nothing. */
  readonly onlyReads?: true;
  /** A last step, which is taken only after the result was written. */
  readonly afterwards?: (context: Context, result: Result, flags: CommonFlags) => void;
}

/** Parses, runs and prints. An error is returned as a `Failure`, for `main.ts` to show; the end of a program as `Ended`. */
export async function perform<Request, Result>(
  context: Context,
  flags: CommonFlags,
  verb: Verb<Request, Result>,
): Promise<Error | void> {
  try {
    const result = await verb.run(context, verb.parse(), flags);
    const text = flags.json ? JSON.stringify(result) : verb.format(result, context.paint);
    if (text !== undefined) await print(context, text, verb.onlyReads ?? false);
    verb.afterwards?.(context, result, flags);
    const code = verb.exit?.(result) ?? EXIT.done;
    if (code !== EXIT.done) return new Ended(code);
  } catch (error) {
    return error instanceof Ended ? error : await failureOf(error);
  }
}

/** @throws Failure the text cannot be written; the hint says so when the command has already acted */
async function print(context: Context, text: string, onlyReads: boolean): Promise<void> {
  try {
    context.process.stdout.write(text + "\n");
  } catch (error) {
    const { kind, message, detail } = await failureOf(error);
    const hints = onlyReads
      ? []
      : ["the command was carried out, only its result could not be written: luo status"];
    throw new Failure(kind, message, { ...detail, hints });
  }
}

/** The words for errors are loaded when there is one: most commands end without. */
async function failureOf(error: unknown): Promise<Failure> {
  if (error instanceof Failure) return error;
  const { toFailure } = await import("../errors/to_failure.ts");
  return toFailure(error);
}
