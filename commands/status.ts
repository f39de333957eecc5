/** `luo status`. */
import { buildCommand } from "@stricli/core";
import type { Methods } from "../lib/agent/protocol.ts";
import { type CommonFlags, commonFlags, docs, perform } from "./arguments/command.ts";
import { call, watch } from "./processes/agent_calls.ts";
import type { Context } from "./base/context.ts";
import { statusText } from "./output/status_text.ts";
import type { Paint } from "./base/text.ts";

export interface Flags extends CommonFlags {
  readonly watch: boolean;
}

type Result = Methods["GetStatus"]["reply"];

export function run(context: Context, _request: null, flags: CommonFlags): Result {
  return call(context, flags, "GetStatus", {});
}

/** Shows the status again after every change, until the agent ends or the user does. */
export function runWatch(context: Context, _request: null, flags: CommonFlags): null {
  for (const result of watch(context, flags)) {
    const clear = context.stdoutIsTerminal && !flags.json ? "\x1b[H\x1b[2J" : "";
    const text = flags.json ? JSON.stringify(result) : format(result, context.paint);
    context.process.stdout.write(`${clear}${text}\n`);
  }
  return null;
}

export function format({ status }: Result, paint: Paint): string {
  return statusText(status, paint);
}

export const command = buildCommand<Flags, [], Context>({
  docs: docs(
    "Show kernel, device, image, agent, sessions, and what was lost",
    "On the model this starts the agent when none runs. On Linux the agent is started\n" +
      "with luo agent start.",
    [
      ["luo status", "everything on one screen"],
      ["luo status --watch", "and again after every change"],
      ["luo status --json | jq '.status.losses'", "is anything lost"],
    ],
  ),
  parameters: {
    flags: {
      watch: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "Show it again after every change",
      },
      ...commonFlags,
    },
  },
  func(flags) {
    if (!flags.watch) return perform(this, flags, { parse: () => null, run, format, onlyReads: true });
    return perform(this, { ...flags, json: false }, {
      parse: () => null,
      run: (context) => runWatch(context, null, flags),
      format: () => undefined,
      onlyReads: true,
    });
  },
});
