/** `luo file restore`: writes a restored file to a path or to standard output, or hands it to a command. */
import { buildCommand } from "./base/build_command.ts";
import type { Answers } from "../lib/schema/answer_types.ts";
import { type CommonFlags, commonFlags, docs, forceFlag, perform } from "./arguments/command.ts";
import { call, restoreFile } from "./processes/agent_calls.ts";
import type { Context } from "./base/context.ts";
import { toFailure } from "./errors/to_failure.ts";
import { Failure } from "./errors/failure.ts";
import { Ended } from "./errors/program_ended.ts";
import { interruptible } from "./processes/interrupt.ts";
import { Progress } from "./output/progress.ts";
import { parseSession } from "./arguments/session_name.ts";
import { size } from "./base/size.ts";
import { shortDigest, visible } from "./base/text.ts";
import { parseMode } from "./arguments/file_mode.ts";
import { tokenArgument } from "./arguments/token.ts";

export interface Flags extends CommonFlags {
  readonly to?: string;
  readonly stdout: boolean;
  readonly exec: boolean;
  readonly force: boolean;
  readonly mode?: number;
  readonly noVerify: boolean;
  readonly become: boolean;
}

export type Destination =
  | { readonly kind: "file"; readonly path: string; readonly replace: boolean; readonly mode?: number }
  | { readonly kind: "stdout" }
  | { readonly kind: "exec"; readonly argv: readonly string[]; readonly become: boolean };

export interface Request {
  readonly session: string;
  readonly token: bigint;
  readonly destination: Destination;
  /** Compare the contents with the recorded digest, if there is one. */
  readonly verify: boolean;
}

export type Result = Answers["file restore"];

export function parse(flags: Flags, session: string, token: string, ...command: string[]): Request {
  return {
    session: parseSession(session),
    token: parseTokenArgument(token),
    destination: parseDestination(flags, command),
    verify: !flags.noVerify,
  };
}

function parseTokenArgument(text: string): bigint {
  try {
    return tokenArgument(text);
  } catch (error) {
    throw new Failure(
      "usage",
      `Cannot use token "${text}": ${error instanceof Error ? error.message : error}`,
    );
  }
}

function parseDestination(
  { to, stdout, exec, become, force, mode, json }: Flags,
  argv: readonly string[],
): Destination {
  if ([to !== undefined, stdout, exec].filter(Boolean).length !== 1) {
    throw new Failure("usage", "Cannot tell where to restore to", {
      hints: ["say exactly one of: --to FILE, --stdout, --exec -- CMD..."],
    });
  }
  if (exec !== argv.length > 0) {
    throw new Failure("usage", exec ? "Cannot execute nothing" : `Cannot take "${argv.join(" ")}" here`, {
      hints: ["a command goes with --exec, after a --: luo file restore vm1 7 --exec -- CMD ARGS..."],
    });
  }
  if (force && to === undefined) {
    throw new Failure("usage", "Cannot take --force without --to: it replaces an existing file", {
      hints: ["to have contents that do not match the digest: --no-verify"],
    });
  }
  if (mode !== undefined && to === undefined) {
    throw new Failure("usage", "Cannot take --mode without --to");
  }
  if (become && !exec) throw new Failure("usage", "Cannot take --become without --exec");
  if (exec) return { kind: "exec", argv, become };
  if (to === "-") {
    throw new Failure("usage", 'Cannot restore to "-"', { hints: ["for standard output: --stdout"] });
  }
  if (to !== undefined) return { kind: "file", path: to, replace: force, mode };
  if (json) throw new Failure("usage", "Cannot print JSON and the file on standard output");
  return { kind: "stdout" };
}

export async function run(context: Context, request: Request, flags: CommonFlags): Promise<Result> {
  const { session, token, destination } = request;
  const give = await import("../lib/files/restore_to.ts");
  const target = destination.kind === "file" ? give.parseTarget(destination.path) : undefined;
  const { replace = false, mode = undefined } = destination.kind === "file" ? destination : {};
  if (target !== undefined) give.checkTarget(target, replace);
  const wish = { session, token: String(token) };
  if (destination.kind === "stdout") {
    const { checkStandard } = await import("../lib/files/standard_streams.ts");
    checkStandard(1, "write", "standard output");
  }
  // The file counts as restored only when all of it is written. Until then session finish is refused.
  const { file, fd } = restoreFile(context, flags, { ...wish, mark: false });
  const mark = (restored: boolean) => call(context, flags, "MarkFile", { ...wish, restored });
  using owned = fd;
  const restored = {
    fd: owned.number,
    name: `file ${token} of session "${session}"`,
    size: BigInt(file.size),
  };
  const digest = request.verify ? file.digest : undefined;
  // The bytes of --to are verified as they are written, before the file has its name.
  if (digest !== undefined && target === undefined) await verify(context, restored, digest);
  if (destination.kind === "exec") {
    const { becomeWithFile, runWithFile } = await import("./processes/command_with_file.ts");
    const { argv, become } = destination;
    if (become) return becomeWithFile(argv, owned, file, mark);
    const code = await runWithFile(argv, owned, file);
    // Only a command that ended with 0 has done something with the file.
    if (code === 0) noted(() => mark(true));
    throw new Ended(code);
  }
  using progress = new Progress(context, "Writing", restored.size);
  const onBytes = (bytes: number) => progress.advance(bytes);
  await interruptible((signal) =>
    target === undefined
      ? give.giveToFd(restored, { fd: 1, name: "standard output" }, { onBytes, signal })
      : give.giveToFile(restored, target, { replace, mode, digest, onBytes, signal })
  );
  return { session, file: noted(() => mark(true)).file, to: target?.path, verified: digest !== undefined };
}

/** The file is restored even if the agent cannot note it; the error says so. */
function noted<T>(mark: () => T): T {
  try {
    return mark();
  } catch (error) {
    const { kind, message, detail } = toFailure(error);
    const hints = ["the file was restored whole; only the agent could not note it", ...(detail.hints ?? [])];
    throw new Failure(kind, message, { ...detail, hints });
  }
}

/** Compares the contents with what was preserved, before any byte is given out. */
async function verify(
  context: Context,
  restored: { fd: number; name: string; size: bigint },
  digest: string,
): Promise<void> {
  const { verifyDigest } = await import("../lib/files/digest.ts");
  using progress = new Progress(context, "Verifying", restored.size);
  await verifyDigest(restored, digest, (bytes) => progress.advance(bytes));
}

export function format({ session, file, to, verified }: Result): string | undefined {
  if (to === undefined) return undefined;
  const digest = verified ? `, ${shortDigest(file.digest)} verified` : "";
  return `File ${file.token} of session "${visible(session)}" restored to "${visible(to)}": ${
    size(file.size)
  }${digest}`;
}

export const command = buildCommand<Flags, string[], Context>({
  docs: docs(
    "Restore a file of a retrieved session",
    "A recorded digest is verified before anything is given out. --to writes the whole file or nothing. --exec runs a command that gets the\n" +
      "file itself, nothing copied, as descriptor 3, at the position that it had at the kexec, and LUO_FD=3, LUO_TOKEN and\n" +
      "LUO_SIZE (bytes) in its environment. luo waits, sends signals on and ends with the command's exit code; the file counts\n" +
      "as restored when that is 0. With --become luo becomes the command, with the same process number: for a program that\n" +
      "runs on and on. The file then counts as restored when the command starts.\n" +
      "A file can be restored again and again until its session is finished.",
    [
      ["luo file restore vm1 7 --to state.bin", "to a new file"],
      ["luo file restore vm1 7 --stdout | tar x", "to a pipe"],
      [
        "luo file restore vm1 8 --exec -- sh -c 'import-state <&3'",
        "to a command that takes the contents over",
      ],
      ["luo file restore vm1 9 --exec --become -- vmm --ram-fd 3", "to the program that goes on with it"],
    ],
    [
      "SESSION TOKEN --to FILE [--force] [--mode MODE] [--no-verify] [--json]",
      "SESSION TOKEN --stdout [--no-verify]",
      "SESSION TOKEN --exec [--become] [--no-verify] -- COMMAND...",
    ],
  ),
  parameters: {
    flags: {
      to: {
        kind: "parsed",
        parse: String,
        optional: true,
        placeholder: "FILE",
        brief: "Write it to this file",
      },
      stdout: { kind: "boolean", default: false, withNegated: false, brief: "Write it to standard output" },
      exec: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "Run the command after -- with it",
      },
      become: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "With --exec: become the command instead of waiting for it",
      },
      force: forceFlag("With --to: replace an existing file"),
      mode: {
        kind: "parsed",
        parse: parseMode,
        optional: true,
        placeholder: "MODE",
        brief: "With --to: permission bits, octal (default: 0600, or those of the file replaced)",
      },
      noVerify: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "Do not compare the contents with the digest",
      },
      ...commonFlags,
    },
    // Session, token, and with --exec a command: stricli has no tuple with a rest.
    positional: {
      kind: "array",
      parameter: {
        parse: String,
        placeholder: "SESSION TOKEN",
        brief: "Which file; with --exec the command after --",
      },
      minimum: 2,
    },
  },
  func(flags, session = "", token = "", ...command) {
    return perform(this, flags, { parse: () => parse(flags, session, token, ...command), run, format });
  },
});
