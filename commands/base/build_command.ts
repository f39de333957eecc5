/** Makes commands without the parser of command lines, which a plain command line does not need (commands/program/plain_line.ts). */
import { buildCommand as build, type Command, type CommandBuilderArguments } from "@stricli/core";
import type { Context } from "./context.ts";

/** stricli's `buildCommand`. It is called, and stricli loaded, at the first use of anything but `parameters` and `loader`. */
export function buildCommand<
  const Flags extends Readonly<Partial<Record<keyof Flags, unknown>>> = NonNullable<unknown>,
  const Args extends readonly unknown[] = [],
  C extends Context = Context,
>(parts: CommandBuilderArguments<Flags, Args, C>): Command<C> {
  let built: Command<C> | undefined;
  const command = () => built ??= build<Flags, Args, C>(parts);
  const loader = "func" in parts ? () => Promise.resolve(parts.func) : parts.loader;
  return {
    parameters: parts.parameters as Command<C>["parameters"],
    loader: loader as Command<C>["loader"],
    get kind(): Command<C>["kind"] {
      return command().kind;
    },
    get brief() {
      return command().brief;
    },
    get fullDescription() {
      return command().fullDescription;
    },
    get formatUsageLine() {
      return command().formatUsageLine;
    },
    get formatHelp() {
      return command().formatHelp;
    },
    get usesFlag() {
      return command().usesFlag;
    },
  };
}
