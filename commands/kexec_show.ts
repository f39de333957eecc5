/** `luo kexec show`: the loaded image. */
import { buildCommand } from "./base/build_command.ts";
import type { Methods } from "../lib/agent/protocol.ts";
import { type CommonFlags, commonFlags, docs, perform } from "./arguments/command.ts";
import { call } from "./processes/agent_calls.ts";
import type { Context } from "./base/context.ts";
import { imageText } from "./output/kexec_text.ts";

type Result = Methods["ShowImage"]["reply"];

export function run(context: Context, _request: null, flags: CommonFlags): Result {
  return call(context, flags, "ShowImage", {});
}

export function format({ image }: Result): string {
  return imageText(image);
}

export const command = buildCommand<CommonFlags, [], Context>({
  docs: docs("Show the loaded kernel", "This is the kernel that luo kexec exec boots.", [[
    "luo kexec show",
    "is a kernel loaded, and which",
  ]]),
  parameters: { flags: commonFlags },
  func(flags) {
    return perform(this, flags, { parse: () => null, run, format, onlyReads: true });
  },
});
