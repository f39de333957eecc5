/** stricli's errors of options and arguments in the grammar of our messages. */
import {
  AliasNotFoundError,
  ArgumentParseError,
  EnumValidationError,
  FlagNotFoundError,
  InvalidNegatedFlagSyntaxError,
  UnexpectedFlagError,
  UnexpectedPositionalError,
  UnsatisfiedFlagError,
  UnsatisfiedPositionalError,
} from "@stricli/core";
import { nearest } from "../errors/nearest.ts";

/**
 * What is wrong with the command line. stricli's own way to translate errors asks for the names of their classes, and the single
 * executable has other names.
 */
export function argumentProblem(error: unknown): string {
  if (error instanceof ArgumentParseError) {
    return unusable(error.externalFlagNameOrPlaceholder, error.input, error.exception);
  }
  if (error instanceof FlagNotFoundError) {
    const meant = nearest(error.input, error.corrections);
    return `Cannot find option "--${error.input}"${meant === undefined ? "" : `: did you mean --${meant}?`}`;
  }
  if (error instanceof AliasNotFoundError) return `Cannot find option "-${error.input}"`;
  if (error instanceof EnumValidationError) {
    return `Cannot use "${error.input}" for --${error.externalFlagName}: it is one of ${
      error.values.join(", ")
    }`;
  }
  if (error instanceof UnsatisfiedFlagError) {
    return `Cannot go on without a value for --${error.externalFlagName}`;
  }
  if (error instanceof UnsatisfiedPositionalError) return `Cannot go on without ${error.placeholder}`;
  if (error instanceof UnexpectedPositionalError) {
    return `Cannot take "${error.input}" here: there are too many arguments`;
  }
  if (error instanceof UnexpectedFlagError) return `Cannot take --${error.externalFlagName} twice`;
  if (error instanceof InvalidNegatedFlagSyntaxError) {
    return `Cannot use "${error.valueText}" for --${error.externalFlagName}: it takes no value`;
  }
  return error instanceof Error ? error.message : String(error);
}

/** A value such as -abc is taken for options: the way out, for a command that takes arguments. */
export function argumentHints(error: unknown, takesArguments: boolean): string[] {
  const unknown = error instanceof AliasNotFoundError ||
    error instanceof FlagNotFoundError && nearest(error.input, error.corrections) === undefined;
  return unknown && takesArguments ? ["an argument that begins with - goes after --"] : [];
}

function unusable(name: string, input: string, exception: unknown): string {
  const option = /^[A-Z]/.test(name) ? name : `--${name}`;
  // Only stricli's parser of switches throws a SyntaxError: luo's own parsers throw a RangeError.
  const why = exception instanceof SyntaxError
    ? "it is a switch, which takes no value"
    : exception instanceof Error
    ? exception.message
    : exception;
  return `Cannot use "${input}" for ${option}: ${why}`;
}
