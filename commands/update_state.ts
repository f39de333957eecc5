/** `luo update state`. */
import { buildCommand } from "./base/build_command.ts";
import { type CommonFlags, commonFlags, docs, perform } from "./arguments/command.ts";
import type { Context } from "./base/context.ts";
import { updateText } from "./output/update_text.ts";
import { call } from "./processes/agent_calls.ts";
import type { UpdateReply } from "./processes/update_steps.ts";

export function run(context: Context, _request: null, flags: CommonFlags): UpdateReply {
  return call(context, flags, "GetUpdate", {});
}

export const command = buildCommand<CommonFlags, [], Context>({
  docs: docs(
    "Show the state of the live update, and what each participant did",
    "normal, prepared, frozen or updated, and words for the way between them. The same word is\n" +
      "in a file beside the agent's socket, for scripts that watch it: SOCKET.update.",
    [
      ["luo update state", "who is at which event"],
      ["luo update state --json | jq -r .state", "the word alone"],
    ],
  ),
  parameters: { flags: commonFlags },
  func(flags) {
    return perform(this, flags, { parse: () => null, run, format: updateText, onlyReads: true });
  },
});
