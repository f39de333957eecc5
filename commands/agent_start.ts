/** `luo agent start`. */
import { buildCommand } from "./base/build_command.ts";
import type { Answers } from "../lib/schema/answer_types.ts";
import { accessFile, accessFlag } from "./arguments/access_flag.ts";
import { type CommonFlags, commonFlags, docs, perform } from "./arguments/command.ts";
import { startAgent } from "./processes/agent_calls.ts";
import type { Context } from "./base/context.ts";
import { deviceLines } from "./output/status_text.ts";

export type Result = Answers["agent start"];

export interface Flags extends CommonFlags {
  readonly access?: string;
}

export function run(context: Context, access: string | undefined, flags: CommonFlags): Result {
  return startAgent(context, flags, access);
}

export function format({ agent, device, started }: Result): string {
  const line = `Agent ${started ? "started" : "is running already"}: pid ${agent.pid}, ${agent.socket}`;
  return [line, ...deviceLines(device)].join("\n");
}

export const command = buildCommand<Flags, [], Context>({
  docs: docs(
    "Start the agent in the background",
    "Waits until the agent answers: 60 seconds at most, or as --timeout says. Its log\n" +
      "goes to a file beside its socket, with the ending .log. The agent starts without\n" +
      "/dev/liveupdate too (none there, in use, no permission, not readable): it can\n" +
      "then load and execute the next kernel, and tries to open the device again at\n" +
      "each request that needs it. Under systemd run luo agent run as the service\n" +
      "instead.",
    [["luo agent start", "after boot, before anything else"]],
  ),
  parameters: { flags: { access: accessFlag, ...commonFlags } },
  func(flags) {
    const parse = () => accessFile(flags.access, this.settings);
    return perform(this, flags, { parse, run, format });
  },
});
