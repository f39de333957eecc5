/** `luo kexec exec`: goes into the loaded kernel. */
import { buildCommand } from "./base/build_command.ts";
import type { Status } from "../lib/agent/protocol.ts";
import type { Answers } from "../lib/schema/answer_types.ts";
import {
  type CommonFlags,
  commonFlags,
  docs,
  forceFlag,
  immediateFlag,
  perform,
} from "./arguments/command.ts";
import { call, callUntilEnd, target } from "./processes/agent_calls.ts";
import type { Context } from "./base/context.ts";
import { Failure } from "./errors/failure.ts";
import { contents } from "./output/session_text.ts";
import { count, visible } from "./base/text.ts";
import { table } from "./output/table.ts";
import { deviceLines, lossLines } from "./output/status_text.ts";
import { backendOf, machineSocket } from "./arguments/agent_target.ts";

export interface Flags extends CommonFlags {
  readonly force: boolean;
  readonly immediate: boolean;
}

export interface Request {
  readonly force: boolean;
  /** Past the service manager. */
  readonly immediate: boolean;
}

/** The status of the model's next kernel. On Linux this process ends with the kernel. */
export type Result = Answers["kexec exec"];

export function parse({ force, immediate }: Flags): Request {
  return { force, immediate };
}

export async function run(
  context: Context,
  { force, immediate }: Request,
  flags: CommonFlags,
): Promise<Result> {
  if (!immediate && backendOf(flags, context.settings) === "linux") {
    const { askForKexec, systemdCarries, untilKexec } = await import("./processes/kexec_by_systemd.ts");
    if (systemdCarries(context, flags)) {
      askForKexec(context, flags, force);
      return await untilKexec();
    }
  }
  const before = new Date().toISOString();
  callUntilEnd(context, flags, { force });
  const result = call(context, flags, "GetStatus", {});
  if (!force && !arrived(result.status, before)) throw lost(context, flags, result.status);
  return result;
}

/** Each kernel that is handed luo's manifest notes when. */
function arrived({ lastUpdate }: Status, since: string): boolean {
  return lastUpdate !== undefined && lastUpdate.at >= since;
}

/** Happens on the model only: on Linux this process ends with the kernel. */
function lost(context: Context, flags: CommonFlags, { kernel, device, losses }: Status): Failure {
  const log = `${machineSocket(target(context, flags))}.log`;
  const what =
    `Cannot say that the update worked: kernel ${kernel.release} runs, and was handed nothing of luo's`;
  return new Failure("kernel-error", what, {
    operation: "kexec exec",
    reasons: [...deviceLines(device), ...lossLines(losses)].map((line) => line.trim()),
    hints: [`what the kernels said, a panic too: ${log}`],
  });
}

export function format({ status }: Result): string {
  const { kernel, sessions, losses, lastUpdate } = status;
  const lines = [
    `Kernel ${visible(kernel.release)} is running, ${count(sessions.length, "session")} handed over`,
  ];
  if (sessions.length > 0) {
    lines.push(table(sessions.map((session) => ["", session.name, contents(session)])));
  }
  // The status has losses of earlier kernels too.
  const now = losses.filter(({ at }) => lastUpdate === undefined || at >= lastUpdate.at);
  return [...lines, ...lossLines(now)].join("\n");
}

export const command = buildCommand<Flags, [], Context>({
  docs: docs(
    "Execute the loaded kernel now",
    "The machine goes into the next kernel with all outgoing sessions. It is refused without a loaded image, and while\n" +
      "sessions of the last update are not finished: they would be lost. The image that luo loaded is loaded\n" +
      "once more from luo's own copy, in case another program loaded one over it. Where systemd 261 or later has the sessions in its\n" +
      "fd store, luo asks it for the kexec: it stops all services in order, as systemctl kexec does. Elsewhere, and with --immediate,\n" +
      "file systems are synced, and nothing is stopped first: stop what must be stopped before. On the model the command waits for the next kernel,\n" +
      "and fails when that was handed nothing of luo's.",
    [["luo kexec exec", "the live update itself"], [
      "luo kexec exec --immediate",
      "without stopping services",
    ], ["luo kexec -e", "the same, as kexec-tools spells it"]],
  ),
  parameters: {
    flags: {
      force: forceFlag("Execute it even if preserved data is lost"),
      immediate: immediateFlag,
      ...commonFlags,
    },
  },
  func(flags) {
    return perform(this, flags, { parse: () => parse(flags), run, format });
  },
});
