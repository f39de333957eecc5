/** Why loading or executing an image is refused: what its command line, its release, its loader and the sessions say. */
import { Errno } from "../../ffi/abi/errno.ts";
import { LuoError } from "../error.ts";
import { commandLineProblems } from "../kexec/command_line.ts";
import type { AgentState } from "./agent_state.ts";
import type { Checked } from "../kexec/check/check.ts";
import { architectureOf } from "../kexec/check/running_kernel.ts";
import { preservedFiles } from "../kexec/check/preserved_files.ts";
import type { JudgedImage } from "./judged_image.ts";
import type { NextKernel } from "./loaded_image.ts";
import type { CheckLine, ImageInfo, ProblemCode, SessionInfo } from "./protocol.ts";
import { dataFirst, type Objection, SESSION_PROBLEM } from "./refusal.ts";
import { agentError } from "./request_checks.ts";

/** Reasons not to load an image. A file that is no kernel is left to the kernel to refuse, whose errno is then the answer. */
export function loadObjections({ checked, commandLine, running }: JudgedImage): Objection[] {
  const { check, report } = checked;
  const problems = report.problems.flatMap(({ code, reason }) =>
    code === "not_bootable" ? [] : [{ code, reason }]
  );
  return [
    ...problems,
    ...unreadObjections(checked),
    ...formatObjections(check.lines),
    ...lineObjections(commandLine, running, nextKernelOf({ checked })),
  ];
}

/**
 * A kernel of which nothing can be told is not loaded while this kernel hands data over: it may be one that panics. A file that is
 * no kernel at all is left to the kernel to refuse.
 */
export function unreadObjections({ unread, report, handsOver }: Checked): Objection[] {
  if (unread === undefined || !handsOver || report.problems.some(({ code }) => code !== "image_old")) {
    return [];
  }
  return [{ code: "image_unread", reason: `the kernel in the image cannot be read: ${unread.reason}` }];
}

export function nextKernelOf(
  { checked: { config, builtIn, machine } }: Pick<JudgedImage, "checked">,
): NextKernel {
  return {
    khoDefault: config && config.value.get("CONFIG_KEXEC_HANDOVER_ENABLE_DEFAULT") === "y",
    builtIn,
    machine,
  };
}

/** Lines of a check that no other objection stands for, and for which the kernel does not refuse the image itself. */
const OBJECTIONABLE: ReadonlySet<string> = new Set<ProblemCode>([
  "kho_format",
  "luo_format",
  "file_handlers",
  "liveupdate_built_in",
  "kho_built_in",
]);

/** Why the image would not take over what this kernel hands over. */
export function formatObjections(lines: readonly CheckLine[]): Objection[] {
  return lines.filter(({ code, verdict }) => verdict === "does_not_fit" && OBJECTIONABLE.has(code))
    // These words are in both lists of codes.
    .map(({ code, reason }) => ({ code: code as ProblemCode, reason }));
}

/** Reasons not to execute the loaded image, and the sessions that would not be handed over. */
export function execObjections(state: AgentState, image: ImageInfo, running: string): Objection[] {
  return [
    ...imageObjections(image, running, state.reload?.next ?? { machine: architectureOf(state.sys) }),
    ...state.reload?.problems ?? [],
    ...formatObjections(state.reload?.handlerLines(preservedFiles(state.sessions())) ?? []),
    ...unknownSessions(state),
    ...sessionObjections(state),
    ...heldFiles(state),
    ...unpreservedValues(state),
    ...state.preserved.resized(state.sessions()),
  ];
}

/** A command line that no kernel takes is a bad request, even with force; the other problems are reasons to refuse. */
function lineObjections(
  commandLine: string,
  running: string,
  { khoDefault, builtIn, machine }: NextKernel,
): Objection[] {
  return commandLineProblems(commandLine, running, khoDefault, builtIn, machine).map(({ code, reason }) => {
    if (code === "too_long" || code === "has_nul") throw agentError("BadRequest", { message: reason });
    return { code, reason };
  });
}

/** Checked again at exec: the user of `kexec exec` may not be the one who loaded the image with `--force`. */
function imageObjections(
  { by, held, commandLine }: ImageInfo,
  running: string,
  next: NextKernel,
): Objection[] {
  if (by !== "luo") {
    const reason =
      "another program loaded the image: one loaded by kexec_load(2), or without liveupdate=on, drops every session";
    return [{ code: "image_foreign", reason }];
  }
  const line = lineObjections(commandLine ?? "", running, next);
  if (held) return line;
  const reason = "the agent that loaded the image has ended: another program may have loaded over it since";
  return [{ code: "image_not_held", reason }, ...line];
}

/** Sessions that the agent cannot list: the device is in other hands, or the handover came without a list. */
function unknownSessions(state: AgentState): Objection[] {
  if (state.unlisted !== undefined) return [{ code: "sessions_unknown", reason: state.unlisted }];
  if (!state.device.closedToUs) return [];
  const { path, errno } = state.device.status();
  const reason =
    `${path} cannot be opened (${errno}), and sessions that wait in the kernel are not carried into the next one`;
  return [{ code: "sessions_unknown", reason }];
}

function sessionObjections(state: AgentState): Objection[] {
  return dataFirst([...state.incoming.values()].map(({ info }) => info)).map((info) => ({
    code: SESSION_PROBLEM[info.state],
    session: info.name,
    reason: `session "${info.name}" ${fate(info)}: it is not carried into the next kernel`,
  }));
}

/** The values of `luo put`, when the last write of them failed and does so again. */
function unpreservedValues({ values }: AgentState): Objection[] {
  const problem = values.unpreserved();
  if (problem === undefined) return [];
  const { count } = values.size;
  return [{
    code: "values_not_preserved",
    reason: `${count} values of luo put are not preserved: ${problem}`,
  }];
}

/** Files of kept sessions that the kernel refused to preserve again. */
function heldFiles(state: AgentState): Objection[] {
  const held: Objection[] = [];
  for (const { info: { name: session, files } } of state.outgoing.values()) {
    for (const { token, state } of files) {
      if (state !== "held") continue;
      const reason =
        `file ${token} of session "${session}" is not preserved: the kernel refused to preserve it again`;
      held.push({ code: "file_not_preserved", session, token, reason });
    }
  }
  return held;
}

function fate({ state }: SessionInfo): string {
  return state === "retrieved" ? "is retrieved and not finished" : "was handed over and is not retrieved";
}

/** reboot(2)'s answer to a kexec without an image. Nothing can be lost by that, so there is nothing to force. */
export function nothingLoaded(): LuoError {
  const what = "Cannot execute the next kernel: no image is loaded";
  return new LuoError("kexec exec", "the next kernel", Errno.EINVAL, what);
}
