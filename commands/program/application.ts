/** The application: one command line from its arguments to the exit code. */
import {
  type Application,
  ArgumentScannerError,
  buildApplication,
  formatMessageForArgumentScannerError,
  type PartialApplicationConfiguration,
  type RouteMap,
  run,
  type StricliIntegration,
  text_en,
} from "@stricli/core";
import type { Context, Outside } from "../base/context.ts";
import { Ended } from "../errors/program_ended.ts";
import { EXIT, type ExitCode } from "../base/exit_codes.ts";
import { Failure, failureJson, renderFailure } from "../errors/failure.ts";
import { help, version } from "./flags.ts";
import { nearest, suggestion } from "../errors/nearest.ts";
import { withKexecVerb } from "../arguments/kexec_spelling.ts";
import { type Flags, lastWins } from "./repeated_flags.ts";
import { allRoutes, commandAt, commandWords, routesOf, routesTo } from "./route_to.ts";
import { plain } from "../base/text.ts";

/** Runs one command line and returns the exit code. */
export async function runLine(given: readonly string[], outside: Outside): Promise<ExitCode | number> {
  const args = await exactly(given);
  if (args instanceof Failure) {
    outside.process.stderr.write(`${(wantsJson(given) ? failureJson : renderFailure)(args)}\n`);
    return args.exit;
  }
  return await new Runner().runWords(args, outside);
}

/** An application that knows the command of a command line, and the flags of that command. */
interface Prepared {
  readonly application: Application<Context>;
  readonly flags: Flags;
}

/** Runs command lines, and keeps what it has made for a command: a batch runs few commands many times. */
class Runner {
  readonly #prepared = new Map<string, Prepared>();

  readonly runWords = async (args: readonly string[], outside: Outside): Promise<ExitCode | number> => {
    const json = wantsJson(args);
    const context: Context = {
      ...outside,
      paint: json ? plain : outside.paint,
      allRoutes,
      routesTo,
      runWords: this.runWords,
    };
    const words = commandApart(withKexecVerb(args));
    const { application, flags } = await this.#prepare(words, json);
    await run(application, lastWins(words, flags), context);
    return exitCode(context.process.exitCode);
  };

  async #prepare(words: readonly string[], json: boolean): Promise<Prepared> {
    const named = commandWords(words);
    if (named === undefined) {
      return { application: application(json, await routesTo(words), { help, version }), flags: {} };
    }
    const asks = words.some((word) => ASKS.test(word));
    const key = `${named} ${json} ${asks}`;
    const known = this.#prepared.get(key);
    if (known !== undefined) return known;
    const command = await commandAt(named);
    const flags = command.parameters.flags ?? {};
    const integrations = asks ? { help, version } : passedOn(flags);
    const made = { application: application(json, routesOf(named, command), integrations), flags };
    this.#prepared.set(key, made);
    return made;
  }
}

/** `--help`, `--version`, or letters after one dash that `-h` or `-v` may be among. */
const ASKS = /^--(?:help|version)$|^-[a-z]*[hv][a-z]*$/i;

/** The arguments as they were typed. Deno replaces bytes that are not UTF-8 by U+FFFD. */
async function exactly(args: readonly string[]): Promise<readonly string[] | Failure> {
  if (!args.some((word) => word.includes("\ufffd"))) return args;
  const { exactArguments } = await import("./exact_text.ts");
  try {
    return exactArguments(args);
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
}

/**
 * Puts a `--` before CMD of `luo emulate CMD --flag`: all words after CMD belong to CMD. Tells `luo rehearse -- CMD` from
 * `luo rehearse IMAGE`, which the parser cannot: it drops the `--`.
 */
function commandApart(args: readonly string[]): readonly string[] {
  const apart = args.indexOf("--");
  if (args[0] === "rehearse" && apart >= 0) return args.toSpliced(apart, 0, "--program");
  if (args[0] !== "emulate" || args.includes("--")) return args;
  const at = args.findIndex((word, index) =>
    index > 0 && !word.startsWith("-") && args[index - 1] !== "--faults"
  );
  return at < 0 ? args : [...args.slice(0, at), "--", ...args.slice(at)];
}

/**
 * Flags of an application that leaves them to the command. stricli asks whether each word is a flag of the application, and makes an error
 * with a stack and with similar names for every flag that is none: half of the time of a request in a batch.
 */
function passedOn(flags: Flags): Integrations {
  const flag = { brief: "", global: false, run() {} };
  return Object.fromEntries(Object.keys(flags).map((name) => [name, { flag }]));
}

type Integrations = Readonly<Record<string, StricliIntegration<Context>>>;

/** The application. With `json`, errors are written as JSON too. */
function application(
  json: boolean,
  routes: RouteMap<Context>,
  integrations: Integrations,
): Application<Context> {
  const show = json ? failureJson : renderFailure;
  const usage = (message: string, hints: string[] = []) => show(new Failure("usage", message, { hints }));
  const configuration: PartialApplicationConfiguration = {
    name: "luo",
    scanner: {
      caseStyle: "allow-kebab-for-camel",
      allowArgumentEscapeSequence: true,
      // Two missing letters, or one wrong one: with the default (7) "foo" is near "model".
      distanceOptions: {
        threshold: 3,
        weights: { insertion: 1, deletion: 3, substitution: 2, transposition: 0 },
      },
    },
    documentation: { disableAnsiColor: true, onlyRequiredInUsageLine: false },
    localization: {
      text: {
        ...text_en,
        noCommandRegisteredForInput: ({ input, corrections }) =>
          usage(`Cannot find command "${input}"`, [commandHint(input, corrections)]),
        exceptionWhileParsingArguments: (error) => usage(argumentProblem(error)),
        // Only writing can fail in `--help` and `--version`: that is a Failure.
        exceptionWhileRunningIntegrationFlag: ({ exception }) => show(asFailure(exception)),
        exceptionWhileRunningCommand: (error) => show(internal(error)),
        exceptionWhileLoadingCommandFunction: (error) => show(internal(error)),
        exceptionWhileLoadingCommandContext: (error) => show(internal(error)),
        commandErrorResult: (error) => isSilent(error) ? "" : show(asFailure(error)),
      },
    },
    determineExitCode: (error) =>
      error instanceof Failure || error instanceof Ended ? error.exit : EXIT.failed,
  };
  return buildApplication<Context>(routes, configuration, integrations);
}

function commandHint(input: string, corrections: readonly string[]): string {
  if (input.startsWith("-")) return `options go after the command: luo status ${input} ...`;
  // stricli puts the names in backticks, and offers far ones too.
  const known = corrections.map((name) => name.replaceAll("`", ""));
  return suggestion(input, known) ?? "list the commands with: luo --help";
}

/** A closed pipe needs no message: `cat` writes none either. */
function isSilent(error: Error): boolean {
  return error instanceof Ended || (error instanceof Failure && error.kind === "broken-pipe");
}

function asFailure(error: unknown): Failure {
  return error instanceof Failure ? error : internal(error);
}

function internal(error: unknown): Failure {
  const message = error instanceof Error ? error.stack ?? error.message : String(error);
  return new Failure("internal", `Cannot go on: ${message}`, { hints: ["this is a bug in luo"] });
}

/** stricli's argument errors in the grammar of our messages. */
function argumentProblem(error: unknown): string {
  if (!(error instanceof ArgumentScannerError)) return error instanceof Error ? error.message : String(error);
  return formatMessageForArgumentScannerError(error, {
    ArgumentParseError: ({ externalFlagNameOrPlaceholder: name, input, exception }) => {
      const option = /^[A-Z]/.test(name) ? name : `--${name}`;
      return `Cannot use "${input}" for ${option}: ${
        exception instanceof Error ? exception.message : exception
      }`;
    },
    FlagNotFoundError: ({ input, corrections }) => {
      const meant = nearest(input, corrections);
      return `Cannot find option "--${input}"${meant === undefined ? "" : `: did you mean --${meant}?`}`;
    },
    EnumValidationError: ({ externalFlagName, input, values }) =>
      `Cannot use "${input}" for --${externalFlagName}: it is one of ${values.join(", ")}`,
    UnsatisfiedFlagError: ({ externalFlagName }) => `Cannot go on without a value for --${externalFlagName}`,
    UnsatisfiedPositionalError: ({ placeholder }) => `Cannot go on without ${placeholder}`,
    UnexpectedPositionalError: ({ input }) => `Cannot take "${input}" here: there are too many arguments`,
    UnexpectedFlagError: ({ externalFlagName }) => `Cannot take --${externalFlagName} twice`,
  });
}

/** Translates stricli's negative exit codes. */
export function exitCode(code: number | string | null | undefined): ExitCode | number {
  const number = Number(code ?? 0);
  if (number >= 0) return number;
  // -5: unknown command, -4: invalid argument (ExitCode of @stricli/core). Every other one is a mistake of luo.
  return number === -5 || number === -4 ? EXIT.usage : EXIT.failed;
}

/** Whether `--json` is among the options. This must be known before parsing, because parsing can fail. */
export function wantsJson(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  if (args[0] === "emulate") return false;
  return (end < 0 ? args : args.slice(0, end)).includes("--json");
}
