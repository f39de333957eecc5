/** `luo file preserve`: gives a file to an outgoing session. */
import { buildCommand } from "./base/build_command.ts";
import type { Source } from "../lib/files/preserve_from.ts";
import type { Answers } from "../lib/schema/answer_types.ts";
import { type CommonFlags, commonFlags, docs, forceFlag, perform } from "./arguments/command.ts";
import { call } from "./processes/agent_calls.ts";
import type { Context } from "./base/context.ts";
import { kernelFailure, stateHints } from "./errors/agent_failure.ts";
import { Failure } from "./errors/failure.ts";
import { Progress } from "./output/progress.ts";
import { parseSession, sessionArgument } from "./arguments/session_name.ts";
import { run as showSession } from "./session_show.ts";
import { size } from "./base/size.ts";
import { shortDigest, visible } from "./base/text.ts";
import { textArgument } from "./arguments/text_argument.ts";
import { parseNumber, tokenArgument } from "./arguments/token.ts";

export interface Flags extends CommonFlags {
  readonly from?: string;
  readonly stdin: boolean;
  readonly fd?: number;
  readonly pid?: number;
  readonly token: bigint;
  readonly label?: string;
  readonly seal: boolean;
  readonly digest: boolean;
  readonly force: boolean;
}

export interface Request {
  readonly session: string;
  readonly token: bigint;
  readonly source: Source;
  readonly label?: string;
  readonly seal: boolean;
  readonly digest: boolean;
  readonly force: boolean;
}

export type Result = Answers["file preserve"];

export function parse(flags: Flags, session: string): Request {
  const { token, label, seal, digest, force } = flags;
  return { session: parseSession(session), token, source: parseSource(flags), label, seal, digest, force };
}

function parseSource({ from, stdin, fd, pid }: Flags): Source {
  const ways = [from !== undefined, stdin, fd !== undefined].filter(Boolean).length;
  if (ways !== 1 || (pid !== undefined && fd === undefined)) {
    throw new Failure("usage", "Cannot tell what to preserve", {
      hints: ["say exactly one of: --from FILE, --stdin, --fd N, --pid P --fd N"],
    });
  }
  if (from === "-") {
    throw new Failure("usage", 'Cannot preserve "-"', { hints: ["for standard input: --stdin"] });
  }
  if (from !== undefined) return { kind: "file", path: from };
  if (fd === undefined) return { kind: "stdin" };
  return pid === undefined ? { kind: "fd", fd } : { kind: "process", pid, fd };
}

export async function run(context: Context, request: Request, flags: CommonFlags): Promise<Result> {
  checkSession(context, request, flags);
  const { isSealed, seal, sourceName, copyToMemfd } = await import("../lib/files/preserve_from.ts");
  const { digestOf, startDigest } = await import("../lib/files/digest.ts");
  const running = request.digest || request.seal ? await startDigest() : undefined;
  using progress = new Progress(context, "Copying");
  using file = await copyToMemfd(request.source, {
    force: request.force,
    onStart: (total) => progress.start(total),
    onBytes: (bytes) => progress.advance(bytes),
    onData: running && ((bytes) => running.update(bytes)),
  });
  const name = sourceName(request.source);
  if (request.seal) seal(file, name);
  let digest: string | undefined;
  if (running !== undefined && running.bytes > 0) digest = running.text();
  else if (request.digest || isSealed(file)) {
    progress.restart("Hashing");
    digest = await digestOf({ fd: file.number, name }, (bytes) => progress.advance(bytes));
  }
  progress.end();
  const { session, token, label, force } = request;
  const wish = { session, token: String(token), fileFd: 0, label, digest, force };
  const reply = call(context, flags, "PreserveFile", wish, [file.number]);
  return { session, file: reply.file };
}

/** Before the copy: a missing session or a token in use must not show only after 10 GiB were read. */
function checkSession(context: Context, { session: name, token }: Request, flags: CommonFlags) {
  const { session } = showSession(context, name, flags);
  if (session.state !== "outgoing") {
    throw new Failure("wrong-state", `Cannot preserve a file in session "${name}": it is ${session.state}`, {
      operation: "preserve",
      subject: name,
      hints: stateHints("preserve", session.state, name),
    });
  }
  if (session.files.some((file) => file.token === String(token))) {
    throw kernelFailure("preserve", `file ${token} in session "${name}"`, "EEXIST");
  }
}

export function format({ session, file }: Result): string {
  const digest = file.digest === undefined ? "" : `, ${shortDigest(file.digest)}`;
  return `File ${file.token} preserved in session "${visible(session)}": ${size(file.size)}${digest}`;
}

export const command = buildCommand<Flags, [string], Context>({
  docs: docs(
    "Preserve a file in an outgoing session",
    "--from and --stdin copy the bytes into memory; --fd preserves an open memfd or unlinked tmpfs file as it is, nothing\n" +
      "copied: its contents can still change, its size cannot. A digest is recorded with --digest, and always when the\n" +
      "contents can no longer change (--seal, or sealed before); file restore then verifies it.",
    [
      ["luo file preserve vm1 --from state.bin --token 7", "a copy of a file"],
      ["qemu-dump | luo file preserve vm1 --stdin --token 0x10 --seal", "a stream, sealed, with its digest"],
      ["luo file preserve vm1 --fd 5 --token 8 5<>/proc/4711/fd/12", "an inherited memfd"],
      ["luo file preserve vm1 --pid 4711 --fd 12 --token 9 --label ram", "another process's memfd"],
    ],
  ),
  parameters: {
    flags: {
      from: { kind: "parsed", parse: String, optional: true, placeholder: "FILE", brief: "Copy this file" },
      stdin: { kind: "boolean", default: false, withNegated: false, brief: "Copy standard input to its end" },
      fd: {
        kind: "parsed",
        parse: parseNumber,
        optional: true,
        placeholder: "N",
        brief: "This file descriptor",
      },
      pid: {
        kind: "parsed",
        parse: parseNumber,
        optional: true,
        placeholder: "P",
        brief: "With --fd: of this process",
      },
      token: {
        kind: "parsed",
        parse: tokenArgument,
        placeholder: "T",
        brief: "Its name in the session: a number of 64 bits, decimal or 0x",
      },
      label: {
        kind: "parsed",
        parse: textArgument,
        optional: true,
        placeholder: "L",
        brief: "A word for people",
      },
      seal: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "Seal the contents first: they can no longer change",
      },
      digest: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "Record the SHA-256 of the contents",
      },
      force: forceFlag("Preserve it even if it comes back different, or memory may not hold it"),
      ...commonFlags,
    },
    positional: { kind: "tuple", parameters: [sessionArgument("The session to put it into")] },
  },
  func(flags, session) {
    return perform(this, flags, { parse: () => parse(flags, session), run, format });
  },
});
