import { buildCommand } from "@stricli/core";
import type { Status } from "../lib/agent/protocol.ts";
import { type CommonFlags, commonFlags, docs, forceFlag, perform } from "./command.ts";
import { call, callUntilEnd } from "./connect.ts";
import type { Context } from "./context.ts";
import { contents } from "./session_text.ts";
import { count, table, visible } from "./text.ts";
import { lossLines } from "./status_text.ts";

export interface Flags extends CommonFlags {
  readonly force: boolean;
}

/** What the next kernel says. On Linux nobody lives to see it. */
export interface Result {
  status: Status;
}

export function parse(flags: Flags): { force: boolean } {
  return { force: flags.force };
}

export function run(
  context: Context,
  request: { force: boolean },
  flags: CommonFlags,
): Result {
  callUntilEnd(context, flags, request);
  return call(context, flags, "GetStatus", {});
}

export function format({ status }: Result): string {
  const { kernel, sessions, losses } = status;
  const lines = [
    `Kernel ${visible(kernel.release)} is running, ${count(sessions.length, "session")} handed over`,
  ];
  if (sessions.length > 0) lines.push(table(sessions.map(({ name, files }) => ["", name, contents(files)])));
  return [...lines, ...lossLines(losses)].join("\n");
}

export const command = buildCommand<Flags, [], Context>({
  docs: docs(
    "Execute the loaded kernel now",
    "The machine goes into the next kernel with all outgoing sessions. It is refused without a loaded image, and while\n" +
      "sessions of the last update are not finished: they would be lost. The image that luo loaded is loaded\n" +
      "once more, in case another program loaded one over it. File systems are synced, nothing else is stopped first: on a machine\n" +
      "in service, stop what must be stopped before. On the model the command waits for the next kernel.",
    [["luo kexec exec", "the live update itself"]],
  ),
  parameters: { flags: { force: forceFlag("Execute it even if preserved data is lost"), ...commonFlags } },
  func(flags) {
    return perform(this, flags, { parse: () => parse(flags), run, format });
  },
});
