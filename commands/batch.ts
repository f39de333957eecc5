/** `luo batch`: runs the commands that come in on standard input, one a line, and answers each with one line. */
import { buildCommand } from "./base/build_command.ts";
import type { Answers } from "../lib/schema/answer_types.ts";
import { docs, type ServerFlags, serverFlags } from "./arguments/command.ts";
import type { Context, Outside, Settings } from "./base/context.ts";
import { EXIT } from "./base/exit_codes.ts";
import { plain } from "./base/text.ts";
import { Failure, failureJson } from "./errors/failure.ts";
import { Ended } from "./errors/program_ended.ts";
import { toFailure } from "./errors/to_failure.ts";
import { KeptAgents } from "./processes/kept_agents.ts";
import { type BatchRequest, parseLine } from "./processes/batch_request.ts";
import { type Line, lines } from "./processes/input_lines.ts";
import { standardInput } from "./processes/standard_input.ts";

export interface Flags extends ServerFlags {
  readonly failFast: boolean;
}

type Answer = Answers["batch"];

/** Answers every line in turn. False: a command failed. @throws Failure the answer cannot be written */
export async function run(context: Context, flags: Flags): Promise<boolean> {
  // When standard input is closed, no request would come, and luo would do nothing and end with 0.
  const { checkStandard } = await import("../lib/files/standard_streams.ts");
  checkStandard(0, "read", "standard input");
  using agents = new KeptAgents();
  const outside: Outside = {
    ...context,
    settings: withTarget(context.settings, flags),
    stdoutIsTerminal: false,
    stderrIsTerminal: false,
    paint: plain,
    agents,
    inputTaken: true,
  };
  let done = true;
  for await (const line of lines(standardInput)) {
    if (line.text?.trim() === "") continue;
    const answer = await answerTo(context, outside, line);
    context.process.stdout.write(`${JSON.stringify(answer)}\n`);
    done &&= answer.exit === EXIT.done;
    if (!done && flags.failFast) return false;
  }
  return done;
}

/** `--backend` and `--socket` of the batch are the defaults of its commands. */
function withTarget(settings: Settings, { backend, socket }: Flags): Settings {
  return {
    ...settings,
    ...backend === undefined ? {} : { backend },
    ...socket === undefined ? {} : { socket },
  };
}

async function answerTo(context: Context, outside: Outside, line: Line): Promise<Answer> {
  const request = parseLine(line);
  if (request instanceof Failure) return failed(undefined, request);
  if (request.problem !== undefined) return failed(request.id, request.problem);
  return await answerOf(context, outside, request);
}

/** Runs one command with `--json` and makes its output the answer. */
async function answerOf(context: Context, outside: Outside, { id, argv }: BatchRequest): Promise<Answer> {
  const [out, err] = [new Captured(), new Captured()];
  const exit = await context.runWords(withJson(argv), { ...outside, process: { stdout: out, stderr: err } });
  const known = id === undefined ? {} : { id };
  const result = parsed(out.text);
  // Some commands answer with their exit code too: kexec check, doctor, status --exit-code.
  if (exit === EXIT.done || result !== undefined) {
    // A command that succeeded can have written notes for people, which go to the standard error of the batch.
    if (err.text !== "") context.process.stderr.write(err.text);
    return result === undefined ? failed(id, notJson(argv)) : { ...known, exit, result };
  }
  const error = parsed(err.text)?.error;
  if (typeof error === "object" && error !== null) return { ...known, exit, error: error as Answer["error"] };
  return failed(id, new Failure("internal", `Cannot tell why the command failed: ${err.text.trim()}`));
}

function notJson(argv: readonly string[]): Failure {
  return new Failure("usage", `Cannot answer "${argv.join(" ")}" with JSON: it prints text`, {
    hints: ["run it by itself, outside of luo batch"],
  });
}

function failed(id: Answer["id"], failure: Failure): Answer {
  const { error } = JSON.parse(failureJson(failure));
  return { ...id === undefined ? {} : { id }, exit: failure.exit, error };
}

/** The words with `--json`, before a `--`. */
function withJson(argv: readonly string[]): readonly string[] {
  const end = argv.indexOf("--");
  const at = end < 0 ? argv.length : end;
  return argv.slice(0, at).includes("--json") ? argv : argv.toSpliced(at, 0, "--json");
}

/** A stream that collects the output of a command. */
class Captured {
  text = "";

  write(text: string): void {
    this.text += text;
  }
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value as Record<string, unknown> : undefined;
  } catch {
    return undefined;
  }
}

export const command = buildCommand<Flags, [], Context>({
  docs: docs(
    "Run many commands, from standard input",
    'A line is a request: {"id":7,"argv":["session","create","vm1"]}, with any command as\n' +
      'it is typed. Each is answered with a line, in order: {"id":7,"exit":0,"result":{...}}\n' +
      'or {"id":7,"exit":1,"error":{...}}. result and error are what the command prints with\n' +
      "--json, and exit is its exit code. id is optional, a number or text. A line that is\n" +
      "no request is answered with an error, and the next one is read; empty lines are\n" +
      "skipped. All commands share one connection to the agent.\n" +
      "luo batch ends with 0 when all commands did, otherwise with 1.\n" +
      "Commands that need a terminal, standard input or standard output for themselves\n" +
      "are refused: --stdin, --stdout, --exec, --watch, put without TEXT, emulate,\n" +
      "rehearse, agent run, machine run and batch.",
    [
      [`echo '{"argv":["session","list"]}' | luo batch`, "one command"],
      ["luo batch --fail-fast <requests >answers", "all of a file, up to the first that fails"],
    ],
  ),
  parameters: {
    flags: {
      failFast: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "Read no more requests after one that failed",
      },
      ...serverFlags,
    },
  },
  async func(flags) {
    try {
      if (!await run(this, flags)) return new Ended(EXIT.failed);
    } catch (error) {
      return toFailure(error);
    }
  },
});
