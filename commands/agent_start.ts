import { buildCommand } from "@stricli/core";
import type { Status } from "../lib/agent/protocol.ts";
import { type CommonFlags, commonFlags, docs, perform } from "./arguments/command.ts";
import { startAgent } from "./processes/agent_calls.ts";
import type { Context } from "./base/context.ts";

export interface Result {
  agent: Status["agent"];
  /** False: it was running already. */
  started: boolean;
}

export function run(context: Context, _request: null, flags: CommonFlags): Result {
  return startAgent(context, flags);
}

export function format({ agent, started }: Result): string {
  return `Agent ${started ? "started" : "is running already"}: pid ${agent.pid}, ${agent.socket}`;
}

export const command = buildCommand<CommonFlags, [], Context>({
  docs: docs(
    "Start the agent in the background",
    "Waits until it answers. What it has to say goes to a file beside its socket, with the ending .log. Under systemd run\n" +
      "luo agent run as the service instead.",
    [["luo agent start", "after boot, before anything else"]],
  ),
  parameters: { flags: commonFlags },
  func(flags) {
    return perform(this, flags, { parse: () => null, run, format });
  },
});
