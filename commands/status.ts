/** `luo status`. */
import { buildCommand } from "./base/build_command.ts";
import type { Answers } from "../lib/schema/answer_types.ts";
import { type CommonFlags, commonFlags, docs, perform } from "./arguments/command.ts";
import { call, watch } from "./processes/agent_calls.ts";
import { bootedBySystemd } from "./processes/booted_by_systemd.ts";
import type { Context } from "./base/context.ts";
import { statusText } from "./output/status_text.ts";
import { EXIT, type ExitCode } from "./base/exit_codes.ts";
import { Failure } from "./errors/failure.ts";
import type { Paint } from "./base/text.ts";

export interface Flags extends CommonFlags {
  readonly watch: boolean;
  readonly exitCode: boolean;
}

type Result = Answers["status"];

export async function run(context: Context, _request: null, flags: CommonFlags): Promise<Result> {
  const { status } = call(context, flags, "GetStatus", {});
  if (status.backend !== "linux" || !bootedBySystemd()) return { status };
  const { systemdFacts } = await import("./processes/systemd_facts.ts");
  const systemd = systemdFacts(status, flags.timeout);
  return systemd === undefined ? { status } : { status, systemd };
}

export function parse({ watch, exitCode }: Flags): null {
  if (watch && exitCode) throw new Failure("usage", "Cannot take both --watch and --exit-code");
  return null;
}

/** The exit code of `--exit-code`: the worst that the status tells of. A loss is worse than ignorance: it is certain. */
export function statusExit({ status }: Result): ExitCode {
  const { losses, device, unlisted, sessions } = status;
  if (losses.length > 0) return EXIT.lost;
  if (device.state !== "ready" || unlisted !== undefined) return EXIT.unavailable;
  return sessions.some(({ state }) => state !== "outgoing") ? EXIT.waiting : EXIT.done;
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

export function format({ status, systemd }: Result, paint: Paint): string {
  return statusText(status, paint, systemd);
}

export const command = buildCommand<Flags, [], Context>({
  docs: docs(
    "Show kernel, device, image, agent, sessions, and what was lost",
    "On the model this starts the agent when none runs. On Linux the agent is started\n" +
      "with luo agent start. With --exit-code the first of these that is true is the exit\n" +
      "code: 5 preserved data was lost (luo losses); 3 the device is not usable, or\n" +
      "sessions may wait that luo does not know; 6 sessions of the last update are not\n" +
      "finished; 0 none of it.",
    [
      ["luo status", "everything on one screen"],
      ["luo status --watch", "and again after every change"],
      ["luo status --exit-code >/dev/null || echo look", "in a script"],
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
      exitCode: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "End with 5, 3 or 6 when data was lost, is unknown, or waits",
      },
      ...commonFlags,
    },
  },
  func(flags) {
    const exit = flags.exitCode ? { exit: statusExit } : {};
    if (!flags.watch) {
      return perform(this, flags, { parse: () => parse(flags), run, format, onlyReads: true, ...exit });
    }
    return perform(this, { ...flags, json: false }, {
      parse: () => parse(flags),
      run: (context) => runWatch(context, null, flags),
      format: () => undefined,
      onlyReads: true,
    });
  },
});
