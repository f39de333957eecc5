/** `luo kho show`: shows a handover. */
import { buildCommand } from "./base/build_command.ts";
import { LuoError } from "../lib/error.ts";
import { KhoError } from "../lib/kho/kho_error.ts";
import type { KhoReport } from "../lib/kho/report.ts";
import { report_debugfs, report_file } from "../lib/kho/report_source.ts";
import type { SystemCalls } from "../lib/system_calls.ts";
import { linux } from "../lib/linux/system_calls.ts";
import type { Answers } from "../lib/schema/answer_types.ts";
import { type CommonFlags, commonFlags, docs, perform } from "./arguments/command.ts";
import { target } from "./processes/agent_calls.ts";
import type { Backend, Context } from "./base/context.ts";
import { Failure } from "./errors/failure.ts";
import { khoText } from "./output/kho_text.ts";
import { kernelProcess } from "./processes/kernel_process.ts";

export interface Flags extends CommonFlags {
  readonly in: boolean;
  readonly out: boolean;
}

export type Request = { readonly side: "in" | "out" } | { readonly path: string };

export type Result = Answers["kho show"];

export function parse(flags: Pick<Flags, "in" | "out">, path: string | undefined): Request {
  const given = [flags.in, flags.out, path !== undefined].filter(Boolean).length;
  if (given > 1) throw new Failure("usage", "Cannot show more than one of --in, --out and FILE");
  if (path === "") throw new Failure("usage", "Cannot show a file without a name");
  return path === undefined ? { side: flags.in ? "in" : "out" } : { path };
}

export async function run(context: Context, request: Request, flags: CommonFlags): Promise<Result> {
  if ("path" in request) return { handover: await fromFile(request.path) };
  const { backend } = target(context, flags);
  using sys = await kernelProcess(context, flags);
  return { handover: fromDebugfs(sys, backend, request.side) };
}

async function fromFile(path: string): Promise<KhoReport> {
  const subject = `"${path}"`;
  try {
    return await report_file(linux(), path);
  } catch (error) {
    if (error instanceof KhoError) {
      throw new Failure("file-error", `Cannot read ${subject} as a handover: ${error.message}`);
    }
    if (!(error instanceof LuoError)) throw error;
    throw new Failure("file-error", `Cannot ${error.operation} ${subject} (${error.code})`, {
      errno: error.code,
    });
  }
}

function fromDebugfs(sys: SystemCalls, backend: Backend, side: "in" | "out"): KhoReport {
  try {
    return report_debugfs(sys, side);
  } catch (error) {
    if (!(error instanceof LuoError)) throw error;
    const what = side === "in" ? "was handed over" : "would be handed over";
    const hints = error.is("ENOENT")
      ? [
        ...backend === "linux" ? ["debugfs must be mounted: mount -t debugfs debugfs /sys/kernel/debug"] : [],
        side === "in"
          ? "after a boot without a handover there is nothing to show"
          : "KHO needs kho=on on the kernel's command line",
      ]
      : ["only root may read debugfs"];
    throw new Failure("unavailable", `Cannot show what ${what} (${error.code})`, {
      errno: error.code,
      hints,
    });
  }
}

export function format({ handover }: Result): string {
  return khoText(handover);
}

const side = { kind: "boolean", default: false, withNegated: false } as const;

export const command = buildCommand<Flags, [string?], Context>({
  docs: docs(
    "Show what one kernel hands to the next",
    "The running kernel shows only its blobs, in debugfs. Captures also have sessions and preserved memory (docs/kho.md).",
    [
      ["luo kho show", "what this kernel would hand over"],
      ["luo kho show --in", "what the previous kernel handed over"],
      ["luo kho show handover.json.gz", "all of a captured handover"],
    ],
  ),
  parameters: {
    flags: {
      ...commonFlags,
      in: { ...side, brief: "What the previous kernel handed over" },
      out: { ...side, brief: "What the running kernel would hand over (default)" },
    },
    positional: {
      kind: "tuple",
      parameters: [{
        brief: "A capture, KHO's tree, or a blob of it",
        parse: String,
        placeholder: "FILE",
        optional: true,
      }],
    },
  },
  func(flags, path) {
    return perform(this, flags, { parse: () => parse(flags, path), run, format, onlyReads: true });
  },
});
