/** `luo losses`: what was lost, and forgets it when that was dealt with. */
import { buildCommand } from "./base/build_command.ts";
import type { Answers } from "../lib/schema/answer_types.ts";
import { type CommonFlags, commonFlags, docs, perform } from "./arguments/command.ts";
import { call } from "./processes/agent_calls.ts";
import type { Context } from "./base/context.ts";
import { lossLines } from "./output/status_text.ts";
import { count, type Paint } from "./base/text.ts";

export interface Flags extends CommonFlags {
  readonly clear: boolean;
}

type Result = Answers["losses"];

export function run(context: Context, { clear }: { clear: boolean }, flags: CommonFlags): Result {
  return { losses: call(context, flags, "GetStatus", {}).status.losses, cleared: clear };
}

/** Only losses that were written are forgotten: on a full disk they stay, and so do those that happen in between. */
function clearShown(context: Context, { losses, cleared }: Result, flags: CommonFlags): void {
  const until = losses.map(({ at }) => at).sort().at(-1);
  if (cleared && until !== undefined) call(context, flags, "ClearLosses", { until });
}

export function format({ losses, cleared }: Result, paint: Paint): string {
  if (losses.length === 0) return "Nothing is lost";
  const lines = lossLines(losses);
  if (cleared) return [...lines, `${count(losses.length, "loss", "losses")} cleared`].join("\n");
  return paint("red", lines.join("\n"));
}

export const command = buildCommand<Flags, [], Context>({
  docs: docs(
    "Show the preserved data that was lost, and why",
    "All losses since the power came on, also those of earlier kernels: luo status\n" +
      "shows them too. --clear prints them and then forgets them for good, in the\n" +
      "agent's journal too. It brings no data back. luo status --exit-code ends with 5\n" +
      "as long as there are losses.",
    [
      ["luo losses", "what is gone"],
      ["luo losses --clear", "after it was dealt with"],
    ],
  ),
  parameters: {
    flags: {
      clear: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "Forget them after they are printed",
      },
      ...commonFlags,
    },
  },
  func(flags) {
    const { clear } = flags;
    return perform(this, flags, {
      parse: () => ({ clear }),
      run,
      format,
      onlyReads: true,
      afterwards: clearShown,
    });
  },
});
