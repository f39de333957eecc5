/** `luo update prepare`. */
import { buildCommand } from "./base/build_command.ts";
import { type CommonFlags, commonFlags, docs, perform } from "./arguments/command.ts";
import {
  optionalKernel,
  parseUpdate,
  type UpdateFlags,
  updateFlags,
  type UpdateRequest,
} from "./arguments/update_flags.ts";
import type { Context } from "./base/context.ts";
import { eventLines, updateText } from "./output/update_text.ts";
import { withImage } from "./processes/update_image.ts";
import { takeStep, type UpdateReply } from "./processes/update_steps.ts";

export async function run(
  context: Context,
  request: UpdateRequest,
  flags: CommonFlags,
): Promise<UpdateReply> {
  return await withImage(
    "prepare",
    request,
    (step, fds) => takeStep(context, flags, step, fds, eventLines(context)),
  );
}

export const command = buildCommand<UpdateFlags, [string?], Context>({
  docs: docs(
    "Prepare an update: participants preserve bulk memory while workloads run",
    "Makes a session for each participant and calls it with prepare. When one fails, is late or\n" +
      "says no, all are told to cancel, and the machine is as before. luo update freeze goes on,\n" +
      "luo update cancel goes back.",
    [[
      "luo update prepare /boot/vmlinuz --reuse-cmdline",
      "the first step by hand",
    ]],
  ),
  parameters: { flags: { ...updateFlags, ...commonFlags }, positional: optionalKernel },
  func(flags, kernel) {
    return perform(this, flags, { parse: () => parseUpdate(flags, kernel), run, format: updateText });
  },
});
