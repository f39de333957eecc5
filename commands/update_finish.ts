/** `luo update finish`. */
import { buildCommand } from "./base/build_command.ts";
import { type CommonFlags, commonFlags, docs, forceFlag, perform } from "./arguments/command.ts";
import type { Context } from "./base/context.ts";
import { eventLines, updateText } from "./output/update_text.ts";
import { takeStep, type UpdateReply } from "./processes/update_steps.ts";

export interface Flags extends CommonFlags {
  readonly force: boolean;
}

export async function run(
  context: Context,
  request: { force: boolean },
  flags: CommonFlags,
): Promise<UpdateReply> {
  return await takeStep(context, flags, { step: "finish", ...request }, [], eventLines(context));
}

export const command = buildCommand<Flags, [], Context>({
  docs: docs(
    "Finish the update in the next kernel",
    "Participants that did not take their part back are called with updated again. While one\n" +
      "is not back, or a file was never restored, it is refused.",
    [
      ["luo update finish", "after luo update freeze and luo kexec exec"],
    ],
  ),
  parameters: { flags: { force: forceFlag("Finish it even if preserved data is lost"), ...commonFlags } },
  func(flags) {
    return perform(this, flags, { parse: () => ({ force: flags.force }), run, format: updateText });
  },
});
