/** `luo rehearse IMAGE`: a live update from one image to another, in a virtual machine, and the verdict. */
import type { Rehearsal } from "../schema/answer_types.ts";
import { type ConsoleLine, lastWords } from "./console.ts";
import type { GuestOrder, GuestReport } from "./in_guest.ts";
import type { GuestPrograms } from "./foreign_root.ts";
import type { GuestKernel } from "./guest_kernel.ts";
import { initramfs, readFile } from "./initramfs.ts";
import { INIT_RUNS } from "./init_script.ts";
import { modulesFor } from "./modules.ts";
import { type Plan, totals } from "./plan.ts";
import { commandLine, TALKING } from "./qemu.ts";
import { BOOT_FILES } from "./places.ts";
import { type ProgramResult, rehearseProgram } from "./rehearse_program.ts";
import { verdictOf } from "./verdict.ts";
import { KEXEC_BEGINS } from "./virtual_machine.ts";

export interface ImageOptions {
  /** The image to go to. */
  readonly image: GuestKernel;
  /** The image that runs first. */
  readonly from: GuestKernel;
  /** Initramfs of the next kernel, unpacked before that of the rehearsal. */
  readonly initrds: readonly string[];
  /** More words for the command line of the next kernel. */
  readonly append?: string;
  readonly plan: Plan;
  readonly memory_mib: number;
  readonly timeout_ms?: number;
  readonly boot_limit_ms?: number;
  /** The command line that starts luo. The words for the guest's part are added to it. */
  readonly luo: readonly string[];
  readonly env: readonly string[];
  /** The programs of the guest, for images of another architecture. */
  readonly programs?: GuestPrograms | undefined;
  readonly signal: AbortSignal;
}

const ORDER = "order";

/** @throws MissingTool; LuoError; the reason of `signal` */
export async function rehearseImage(options: ImageOptions): Promise<Rehearsal> {
  const { problem } = options.image;
  if (problem !== undefined) return withoutMachine(options, problem);
  const { image, from, initrds, append = "", plan, memory_mib, timeout_ms, boot_limit_ms, luo, env, signal } =
    options;
  const order: GuestOrder = {
    plan,
    kernel: `${BOOT_FILES}/next-kernel`,
    initrd: `${BOOT_FILES}/next-initrd`,
    commandLine: commandLine(`${TALKING} ${append}`, options.programs?.architecture),
  };
  const [path = "", ...words] = luo;
  const reports: GuestReport[] = [];
  const said = { out: "", err: "" };
  const decoders = { out: new TextDecoder(), err: new TextDecoder() };
  const modules = [...await modulesFor(from), ...from.path === image.path ? [] : await modulesFor(image)];
  const result = await rehearseProgram({
    kernel: from,
    append: TALKING,
    modules,
    programs: options.programs,
    path,
    args: [...words, "rehearse", "--in-guest", `${BOOT_FILES}/${ORDER}`],
    env,
    directory: "/",
    // A session is a descriptor.
    nofile: [1n << 19n, 1n << 19n],
    files: {
      [ORDER]: JSON.stringify(order),
      "next-kernel": image.bytes,
      "next-initrd": joined([
        ...image.initrd === undefined ? [] : [image.initrd],
        ...initrds.map(readFile),
        initramfs(modules, options.programs?.busybox),
      ]),
    },
    memory_mib,
    timeout_ms,
    boot_limit_ms,
    on_output: (stream, bytes) => said[stream] += decoders[stream].decode(bytes, { stream: true }),
    signal,
  });
  for (const line of said.out.split("\n")) if (line.startsWith("{")) reports.push(JSON.parse(line));
  return judge(options, result, reports, said.err);
}

/** Nothing boots the image, so there is nothing to try. */
function withoutMachine(
  { image, from, plan }: ImageOptions,
  { unread, reason }: NonNullable<GuestKernel["problem"]>,
): Rehearsal {
  return {
    verdict: unread ? "cannot_tell" : "does_not_fit",
    reason: `The image cannot be ${unread ? "read" : "loaded"}: ${reason}`,
    image: image.path,
    from: from.path,
    sessions: plan.sessions.length,
    ...totals(plan),
    scaled: plan.scaled,
    verifiedFiles: 0,
    verifiedBytes: 0,
    problems: [],
    consoleBefore: [],
    consoleAfter: [],
  };
}

/** Archives of an initramfs that are unpacked one after the other; each begins at a multiple of four bytes. */
function joined(parts: readonly Uint8Array[]): Uint8Array {
  const starts: number[] = [];
  let size = 0;
  for (const part of parts) {
    starts.push(size);
    size += part.length + (4 - part.length % 4) % 4;
  }
  const whole = new Uint8Array(size);
  parts.forEach((part, index) => whole.set(part, starts[index]));
  return whole;
}

function judge(
  { image, from, plan }: ImageOptions,
  result: ProgramResult,
  reports: readonly GuestReport[],
  errors: string,
): Rehearsal {
  const verified = reports.find((one) => one.step === "verified");
  const failed = reports.find((one) => one.step === "failed");
  const at = result.lines.findIndex(({ text }) => text.includes(KEXEC_BEGINS));
  const [before, after] = at < 0
    ? [result.lines, []]
    : [result.lines.slice(0, at + 1), result.lines.slice(at + 1)];
  const [verdict, reason] = verdictOf({
    result,
    verified,
    failed,
    jumped_at_ms: result.lines[at]?.at_ms,
    errors,
  });
  return {
    verdict,
    reason,
    image: image.path,
    from: from.path,
    fromRelease: releaseOf(before),
    toRelease: releaseOf(after),
    sessions: plan.sessions.length,
    ...totals(plan),
    scaled: plan.scaled,
    verifiedFiles: verified?.files ?? 0,
    verifiedBytes: verified?.bytes ?? 0,
    problems: [...verified?.problems ?? []],
    blackoutMs: blackout(result.lines[at], after),
    consoleBefore: lastWords(before),
    consoleAfter: lastWords(after),
  };
}

function releaseOf(lines: readonly ConsoleLine[]): string | undefined {
  for (const { text } of lines) {
    const release = /Linux version (\S+)/.exec(text)?.[1];
    if (release !== undefined) return release;
  }
}

/** The time from the jump to the first instruction of the next init. */
function blackout(jump: ConsoleLine | undefined, after: readonly ConsoleLine[]): number | undefined {
  const init = after.find(({ text }) => text.includes(INIT_RUNS));
  return jump === undefined || init === undefined ? undefined : Math.round(init.at_ms - jump.at_ms);
}
