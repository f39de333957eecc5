import { buildCommand } from "@stricli/core";
import { type CommonFlags, commonFlags, docs, perform } from "./command.ts";
import type { Context } from "./context.ts";

export async function run(context: Context, _request: null, flags: CommonFlags): Promise<null> {
  const { serveMachine } = await import("./serve.ts");
  await serveMachine(context, flags);
  return null;
}

export const command = buildCommand<CommonFlags, [], Context>({
  docs: docs(
    "Run the machine of the software model in the foreground",
    "The agent starts it by itself; --socket is the agent's.",
    [["luo machine run --backend model", "to look on"]],
  ),
  parameters: { flags: commonFlags },
  func(flags) {
    return perform(this, flags, { parse: () => null, run, format: () => undefined });
  },
});
