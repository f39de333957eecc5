/** `luo update report`: what happened in a live update, on one time axis. */
import { buildCommand } from "./base/build_command.ts";
import { VERSION } from "../lib/version.ts";
import { timeline } from "../lib/report/timeline.ts";
import type { Answers } from "../lib/schema/answer_types.ts";
import { type CommonFlags, commonFlags, docs, perform } from "./arguments/command.ts";
import type { Context } from "./base/context.ts";
import type { Paint } from "./base/text.ts";
import { Failure } from "./errors/failure.ts";
import { reportHtml } from "./output/report_html.ts";
import { reportSvg } from "./output/report_svg.ts";
import { reportText } from "./output/report_text.ts";
import { call } from "./processes/agent_calls.ts";
import { systemdMarks } from "./processes/systemd_marks.ts";

export interface Flags extends CommonFlags {
  readonly svg: boolean;
  readonly html: boolean;
}

interface Request {
  readonly id?: string;
}

type Result = Answers["update report"];

export function parse({ svg, html, json }: Flags, id?: string): Request {
  if ([svg, html, json].filter(Boolean).length > 1) {
    throw new Failure("usage", "Cannot print more than one of --json, --svg and --html");
  }
  return id === undefined ? {} : { id };
}

export async function run(context: Context, request: Request, flags: CommonFlags): Promise<Result> {
  const { update } = call(context, flags, "GetUpdate", { ...request });
  if (update === undefined) {
    throw new Failure("no-such-update", "Cannot report: there was no live update yet", {
      hints: ["the history of earlier ones: luo update history"],
    });
  }
  return { update, timeline: timeline(update, await systemdMarks(update.to?.bootId)) };
}

export function format(flags: Flags): (result: Result, paint: Paint) => string {
  if (flags.svg) return (result) => reportSvg(result).trimEnd();
  if (flags.html) return (result) => reportHtml(result, VERSION).trimEnd();
  return reportText;
}

const formatFlag = (brief: string) =>
  ({ kind: "boolean", default: false, withNegated: false, brief }) as const;

export const command = buildCommand<Flags, [string?], Context>({
  docs: docs(
    "Show what happened in a live update, to the microsecond",
    "Every phase and each participant's part in it, the blackout from the first freeze to the last workload that runs again, and the\n" +
      "kernel's share. The clocks of both kernels are joined. --html prints one page that needs nothing else, for a browser or a post-mortem.",
    [
      ["luo update report", "the last update, as text"],
      ["luo update report --html >update.html", "for people who were not there"],
      ["luo update report 0b1c3a52 --json | jq .timeline.blackout", "an older one, for a program"],
    ],
  ),
  parameters: {
    flags: {
      svg: formatFlag("Print the chart as SVG"),
      html: formatFlag("Print a page of HTML"),
      ...commonFlags,
    },
    positional: {
      kind: "tuple",
      parameters: [{
        brief: "The beginning of the update's id",
        parse: String,
        placeholder: "UPDATE",
        optional: true,
      }],
    },
  },
  func(flags, id) {
    return perform(this, flags, {
      parse: () => parse(flags, id),
      run,
      format: format(flags),
      onlyReads: true,
    });
  },
});
