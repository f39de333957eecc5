/** Why loading or executing an image is refused: what its command line, its release, its loader and the sessions say. */
import { Errno } from "../../ffi/abi/errno.ts";
import { LuoError } from "../error.ts";
import { commandLineProblems } from "../kexec/command_line.ts";
import type { ImageReport } from "../kexec/check_image.ts";
import type { AgentState } from "./agent_state.ts";
import { resizedFiles } from "./preserved_fds.ts";
import type { ImageInfo, SessionInfo } from "./protocol.ts";
import { dataFirst, type Objection, SESSION_PROBLEM } from "./refusal.ts";
import { agentError } from "./request_checks.ts";

/** Reasons not to load an image. A file that is no kernel is left to the kernel to refuse, whose errno is then the answer. */
export function loadObjections(report: ImageReport, commandLine: string, running: string): Objection[] {
  const problems = report.problems.flatMap(({ code, reason }) =>
    code === "not_bootable" ? [] : [{ code, reason }]
  );
  return [...problems, ...lineObjections(commandLine, running)];
}

/** Reasons not to execute the loaded image, and the sessions that would not be handed over. */
export function execObjections(state: AgentState, image: ImageInfo, running: string): Objection[] {
  return [
    ...imageObjections(image, running),
    ...unknownSessions(state),
    ...sessionObjections(state),
    ...resizedFiles(state.preserved.withSizesNow(state.sessions(), { fresh: true })),
  ];
}

/** A command line that no kernel takes is a bad request, even with force; the other problems are reasons to refuse. */
function lineObjections(commandLine: string, running: string): Objection[] {
  return commandLineProblems(commandLine, running).map(({ code, reason }) => {
    if (code === "too_long" || code === "has_nul") throw agentError("BadRequest", { message: reason });
    return { code, reason };
  });
}

/** Checked again at exec: the user of `kexec exec` may not be the one who loaded the image with `--force`. */
function imageObjections({ by, held, commandLine }: ImageInfo, running: string): Objection[] {
  if (by !== "luo") {
    const reason =
      "another program loaded the image: one loaded by kexec_load(2), or without liveupdate=on, drops every session";
    return [{ code: "image_foreign", reason }];
  }
  const line = lineObjections(commandLine ?? "", running);
  if (held) return line;
  const reason = "the agent that loaded the image has ended: another program may have loaded over it since";
  return [{ code: "image_not_held", reason }, ...line];
}

/** The device is in other hands, so the agent has not read what was handed over. */
function unknownSessions(state: AgentState): Objection[] {
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

function fate({ state }: SessionInfo): string {
  return state === "retrieved" ? "is retrieved and not finished" : "was handed over and is not retrieved";
}

/** reboot(2)'s answer to a kexec without an image. Nothing can be lost by that, so there is nothing to force. */
export function nothingLoaded(): LuoError {
  const what = "Cannot execute the next kernel: no image is loaded";
  return new LuoError("kexec exec", "the next kernel", Errno.EINVAL, what);
}
