/** The application: one command line from its arguments to the exit code. */
import {
  type Application,
  buildApplication,
  type Command,
  type PartialApplicationConfiguration,
  type RouteMap,
  run,
  type StricliIntegration,
  text_en,
} from "@stricli/core";
import type { Context, Outside } from "../base/context.ts";
import { argumentHints, argumentProblem } from "./argument_problem.ts";
import { EXIT, type ExitCode } from "../base/exit_codes.ts";
import { FirstError } from "./first_error.ts";
import { Failure } from "../errors/failure.ts";
import { help, version } from "./flags.ts";
import { suggestion } from "../errors/nearest.ts";
import { withKexecVerb } from "../arguments/kexec_spelling.ts";
import { type Flags, lastWins } from "./repeated_flags.ts";
import { withValuesApart } from "./values_apart.ts";
import { allRoutes, commandAt, commandWords, routesOf, routesTo, verbsOf } from "./route_to.ts";
import { plain } from "../base/text.ts";
import { plainArguments } from "./plain_line.ts";
import { asFailure, commandError, exitOf, internal, runPlainly, shown } from "./run_plainly.ts";

/** Runs one command line and returns the exit code. */
export async function runLine(given: readonly string[], outside: Outside): Promise<ExitCode | number> {
  const args = await exactly(given);
  if (args instanceof Failure) return tell(args, wantsJson(given), outside);
  return await new Runner().runWords(args, outside);
}

/** Writes a failure that comes before any command runs. Returns the exit code. */
function tell(failure: Failure, json: boolean, { process }: Outside): ExitCode {
  process.stderr.write(`${shown(failure, json)}\n`);
  return failure.exit;
}

/** An application that knows the command of a command line, and the flags of that command. */
interface Prepared {
  readonly application: Application<Context>;
  readonly flags: Flags;
}

/** Runs command lines, and keeps what it has made for a command: a batch runs few commands many times. */
class Runner {
  readonly #commands = new Map<string, Command<Context>>();
  readonly #prepared = new Map<string, Prepared>();

  readonly runWords = async (args: readonly string[], outside: Outside): Promise<ExitCode | number> => {
    const json = wantsJson(args);
    const context: Context = {
      ...outside,
      process: json
        ? { ...outside.process, stderr: new FirstError(outside.process.stderr) }
        : outside.process,
      paint: json ? plain : outside.paint,
      allRoutes,
      routesTo,
      runWords: this.runWords,
    };
    const words = commandApart(withKexecVerb(withHelpFlag(args)));
    const named = commandWords(words);
    const command = named === undefined ? undefined : await this.#command(named);
    if (named !== undefined && command !== undefined) {
      const rest = words.slice(named.split(" ").length);
      const plainly = plainArguments(command.parameters, rest, context);
      if (plainly !== undefined) return await runPlainly(command, plainly, context, json);
    }
    const { application, flags } = await this.#prepare(words, json);
    const apart = withValuesApart(words, flags);
    if (apart instanceof Failure) return tell(apart, json, outside);
    await run(application, lastWins(apart, flags), context);
    return exitCode(context.process.exitCode);
  };

  async #command(named: string): Promise<Command<Context>> {
    const known = this.#commands.get(named);
    if (known !== undefined) return known;
    const command = await commandAt(named);
    this.#commands.set(named, command);
    return command;
  }

  async #prepare(words: readonly string[], json: boolean): Promise<Prepared> {
    const named = commandWords(words);
    if (named === undefined) {
      const made = application(json, await routesTo(words), { help, version }, { first: words[0] });
      return { application: made, flags: {} };
    }
    const asks = words.some((word) => ASKS.test(word));
    const key = `${named} ${json} ${asks}`;
    const known = this.#prepared.get(key);
    if (known !== undefined) return known;
    const command = await this.#command(named);
    const flags = command.parameters.flags ?? {};
    const integrations = asks ? { help, version } : passedOn(flags);
    const place = { takesArguments: command.parameters.positional !== undefined };
    const made = { application: application(json, routesOf(named, command), integrations, place), flags };
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

/** `luo help COMMAND` means `luo COMMAND --help`. */
function withHelpFlag(args: readonly string[]): readonly string[] {
  return args[0] === "help" ? [...args.slice(1).filter((word) => word !== "help"), "--help"] : args;
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

/** What the command line is about, for hints: its first word, and whether the command takes arguments. */
interface Place {
  readonly first?: string;
  readonly takesArguments?: boolean;
}

/** The application. With `json`, errors are written as JSON too. */
function application(
  json: boolean,
  routes: RouteMap<Context>,
  integrations: Integrations,
  place: Place = {},
): Application<Context> {
  const show = (failure: Failure) => shown(failure, json);
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
          usage(commandProblem(input, place.first), [commandHint(input, corrections, place.first)]),
        exceptionWhileParsingArguments: (error) =>
          usage(argumentProblem(error), argumentHints(error, place.takesArguments ?? false)),
        // Only writing can fail in `--help` and `--version`: that is a Failure.
        exceptionWhileRunningIntegrationFlag: ({ exception }) => show(asFailure(exception)),
        exceptionWhileRunningCommand: (error) => show(internal(error)),
        exceptionWhileLoadingCommandFunction: (error) => show(internal(error)),
        exceptionWhileLoadingCommandContext: (error) => show(internal(error)),
        commandErrorResult: (error) => commandError(error, json),
      },
    },
    determineExitCode: exitOf,
  };
  return buildApplication<Context>(routes, configuration, integrations);
}

function commandProblem(input: string, first = ""): string {
  const missing = input.startsWith("-") && verbsOf(first).length > 0;
  return missing
    ? `Cannot find a command between "${first}" and "${input}"`
    : `Cannot find command "${input}"`;
}

function commandHint(input: string, corrections: readonly string[], first = ""): string {
  const verbs = verbsOf(first);
  if (input.startsWith("-")) {
    const command = verbs.length === 0 ? "status" : `${first} ${verbs.join("|")}`;
    return `options go after the command: luo ${command} ${input} ...`;
  }
  // stricli puts the names in backticks, and offers far ones too.
  const known = corrections.map((name) => name.replaceAll("`", ""));
  return suggestion(input, known) ??
    `list the commands with: luo ${verbs.length === 0 ? "" : `${first} `}--help`;
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
  return (end < 0 ? args : args.slice(0, end)).some((word) => JSON_WANTED.test(word));
}

/** stricli takes these words for yes. */
const JSON_WANTED = /^--json(?:=(?:true|t|yes|y|on|1))?$/i;
