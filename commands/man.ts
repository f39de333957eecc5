/** `luo man`: prints a page of the manual. */
import { buildCommand } from "./base/build_command.ts";
import type { Answers } from "../lib/schema/answer_types.ts";
import { docs, jsonFlag, perform } from "./arguments/command.ts";
import type { Flags } from "./completion.ts";
import type { Context } from "./base/context.ts";
import { Failure } from "./errors/failure.ts";
import { manPages } from "./help/man_page.ts";
import { routeTree } from "./help/route_tree.ts";

export type Result = Answers["man"];

export async function run(context: Context, wanted: string): Promise<Result> {
  const pages = manPages(routeTree(await context.allRoutes()));
  // `luo man session` is luo-session(1), as `luo man luo-session`.
  const names = [wanted, `luo-${wanted}`, `luo.${wanted}`];
  const page = pages.find(({ name }) => names.includes(name));
  if (page !== undefined) return { page: page.text };
  throw new Failure("usage", `Cannot find a page "${wanted}"`, {
    hints: [`the pages there are: ${pages.map(({ name }) => name).join(", ")}`],
  });
}

export function format({ page }: Result): string {
  return page.trimEnd();
}

export const command = buildCommand<Flags, [string?], Context>({
  docs: docs(
    "Print a page of the manual",
    "In the format of man(7). The page luo is about luo as a whole; each group of commands has one, and so have\n" +
      "luo-agent.service and luo.conf.",
    [
      ["luo man | man -l -", "read the page luo"],
      ["luo man session | man -l -", "read the page luo-session"],
      ["luo man > /usr/local/share/man/man1/luo.1", "install it"],
    ],
  ),
  parameters: {
    flags: {
      json: jsonFlag,
    },
    positional: {
      kind: "tuple",
      parameters: [{ parse: String, optional: true, placeholder: "PAGE", brief: "Default: luo" }],
    },
  },
  func(flags, page) {
    return perform(this, flags, { parse: () => page ?? "luo", run, format, onlyReads: true });
  },
});
