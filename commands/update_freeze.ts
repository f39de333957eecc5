/** `luo update freeze`. */
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
  return await takeStep(context, flags, { step: "freeze", ...request }, [], eventLines(context));
}

export const command = buildCommand<Flags, [], Context>({
  docs: docs(
    "Freeze the participants of the prepared update: the blackout begins",
    "Each participant stops its workload and preserves its last state. When one fails,\n" +
      "is late or says no, all are told to cancel, and the machine is as before.",
    [
      ["luo update freeze && luo kexec exec", "the last steps of an update by hand"],
    ],
  ),
  parameters: {
    flags: { force: forceFlag("Go on even if luo refuses the image: data may be lost"), ...commonFlags },
  },
  func(flags) {
    return perform(this, flags, { parse: () => ({ force: flags.force }), run, format: updateText });
  },
});
