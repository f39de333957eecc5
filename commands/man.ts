/** `luo man`: prints the manual page. */
import { buildCommand } from "@stricli/core";
import type { Answers } from "../lib/schema/answer_types.ts";
import { docs, perform } from "./arguments/command.ts";
import type { Flags } from "./completion.ts";
import type { Context } from "./base/context.ts";
import { manPage } from "./help/man_page.ts";
import { routeTree } from "./help/route_tree.ts";

export type Result = Answers["man"];

export async function run(context: Context): Promise<Result> {
  return { page: manPage(routeTree(await context.allRoutes())) };
}

export function format({ page }: Result): string {
  return page.trimEnd();
}

export const command = buildCommand<Flags, [], Context>({
  docs: docs(
    "Print the manual page",
    "In the format of man(7).",
    [
      ["luo man | man -l -", "read it"],
      ["luo man > /usr/local/share/man/man8/luo.8", "install it"],
    ],
  ),
  parameters: {
    flags: {
      json: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "Print JSON with stable keys, errors too",
      },
    },
  },
  func(flags) {
    return perform(this, flags, { parse: () => null, run, format, onlyReads: true });
  },
});
