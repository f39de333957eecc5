/** `luo update cancel`. */
import { buildCommand } from "./base/build_command.ts";
import { type CommonFlags, commonFlags, docs, perform } from "./arguments/command.ts";
import type { Context } from "./base/context.ts";
import { eventLines, updateText } from "./output/update_text.ts";
import { takeStep, type UpdateReply } from "./processes/update_steps.ts";

export async function run(context: Context, _request: null, flags: CommonFlags): Promise<UpdateReply> {
  return await takeStep(context, flags, { step: "cancel" }, [], eventLines(context));
}

export const command = buildCommand<CommonFlags, [], Context>({
  docs: docs(
    "Cancel the update: every participant goes on as before",
    "Before the kexec. Participants are told in reverse order, the update's sessions are\n" +
      "closed, and the image is unloaded if the update loaded it. It also stops a step that is\n" +
      "under way.",
    [
      ["luo update cancel", "back to the state normal"],
    ],
  ),
  parameters: { flags: commonFlags },
  func(flags) {
    return perform(this, flags, { parse: () => null, run, format: updateText });
  },
});
