/** One line of `luo batch` as a request, and the commands that cannot be part of a batch. */
import { Failure } from "../errors/failure.ts";
import type { Line } from "./input_lines.ts";

export interface BatchRequest {
  readonly id?: number | string;
  readonly argv: readonly string[];
  /** Why the command is not run. */
  readonly problem?: Failure;
}

/** Commands that run until they end, or have the terminal to themselves. */
const APART: readonly (readonly string[])[] = [
  ["agent", "run"],
  ["machine", "run"],
  ["emulate"],
  ["rehearse"],
  ["batch"],
];

/** Options with which a command reads standard input or writes something else than its answer to standard output. */
const STREAM_OPTION = /^--(?:stdin|stdout|exec|watch)(?:=|$)/;

/** The request, or the reason why the line is not one. */
export function parseLine({ text, number }: Line): BatchRequest | Failure {
  if (text === undefined) return malformed(number, "it is not UTF-8");
  const value = parsed(text);
  if (!isObject(value)) return malformed(number, "it is not a JSON object");
  const { id, argv, ...others } = value;
  if (id !== undefined && !isId(id)) {
    return malformed(number, '"id" is a text, or a number that JSON keeps exactly (up to 2^53)');
  }
  const known = id === undefined ? {} : { id };
  const [other] = Object.keys(others);
  const problem = other !== undefined
    ? malformed(number, `it has "${other}", and a request has "id" and "argv"`)
    : !isWords(argv)
    ? malformed(number, '"argv" is a list of words')
    : hasNul(argv)
    ? malformed(number, "a word has a NUL, which only a value of put may have")
    : refusal(argv);
  return { ...known, argv: isWords(argv) ? argv : [], ...problem === undefined ? {} : { problem } };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isWords(value: unknown): value is string[] {
  return Array.isArray(value) && value.length > 0 && value.every((word) => typeof word === "string");
}

/** No program can be given a word with a NUL: paths and names end there. */
function hasNul(argv: readonly string[]): boolean {
  return argv[0] !== "put" && argv.some((word) => word.includes("\0"));
}

/** An id comes back as it was given. JavaScript rounds numbers above 2^53, and makes infinity of 1e400. */
function isId(id: unknown): id is number | string {
  return typeof id === "string" || typeof id === "number" && Math.abs(id) <= Number.MAX_SAFE_INTEGER;
}

function malformed(number: number, why: string): Failure {
  return new Failure("usage", `Cannot take line ${number} as a request: ${why}`, {
    hints: ['a request is like {"id":7,"argv":["session","create","vm1"]}'],
  });
}

/** Why a command cannot be run in a batch. Undefined: it can. */
function refusal(argv: readonly string[]): Failure | undefined {
  const end = argv.indexOf("--");
  const option = argv.slice(0, end < 0 ? argv.length : end).find((word) => STREAM_OPTION.test(word));
  const apart = APART.find((words) => words.every((word, index) => argv[index] === word));
  const subject = option ?? apart?.join(" ");
  if (subject === undefined) return undefined;
  return new Failure(
    "usage",
    `Cannot take "${subject}" in a batch: it needs a terminal or a stream for itself`,
    {
      hints: ["run it by itself, outside of luo batch"],
    },
  );
}
