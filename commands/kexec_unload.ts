/** `luo kexec unload`: calls the next kernel off. */
import { buildCommand } from "./base/build_command.ts";
import type { Methods } from "../lib/agent/protocol.ts";
import { type CommonFlags, commonFlags, docs, perform } from "./arguments/command.ts";
import { call } from "./processes/agent_calls.ts";
import type { Context } from "./base/context.ts";
import { unloadedText } from "./output/kexec_text.ts";

type Result = Methods["UnloadImage"]["reply"];

export function run(context: Context, _request: null, flags: CommonFlags): Result {
  return call(context, flags, "UnloadImage", {});
}

export function format({ unloaded }: Result): string {
  return unloadedText(unloaded);
}

export const command = buildCommand<CommonFlags, [], Context>({
  docs: docs("Unload the next kernel", "Says which one was loaded. Sessions are not touched.", [
    ["luo kexec unload", "the update is called off"],
    ["luo kexec -u", "the same, as kexec-tools spells it"],
  ]),
  parameters: { flags: commonFlags },
  func(flags) {
    return perform(this, flags, { parse: () => null, run, format });
  },
});
