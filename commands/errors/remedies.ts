/** The meaning of a refusal and the way to keep the data, keyed by the agent's problem codes. */
import type { Problem, ProblemCode } from "../../lib/agent/protocol.ts";
import { operand } from "../base/text.ts";

interface Advice {
  /** The consequence of `--force`. */
  readonly risk: string;
  /** The step that keeps the data, as a command where there is one. The session is an operand of a shell. */
  readonly step: (session: string, token: string) => string;
}

const LOST = "data would be lost";
const CHANGED = "the file would come back different";

/** The command that says whether an image fits, without loading it. */
const OTHER_KERNEL = () => "load a kernel that fits: luo kexec check KERNEL says whether one does";

/** No flag can come after the `--` before a name that begins with `-`. */
function restoring(session: string, token: string): string {
  const [before, after] = session.startsWith("--") ? [" --to FILE", ""] : ["", " --to FILE"];
  return `luo file restore${before} ${session} ${token}${after}`;
}

const ADVICE: Readonly<Record<ProblemCode, Advice>> = {
  file_not_restored: {
    risk: LOST,
    step: (session, token) => `restore the file first: ${restoring(session, token)}`,
  },
  files_unknown: {
    risk: LOST,
    step: (session) => `restore every token that was preserved first: ${restoring(session, "TOKEN")}`,
  },
  file_resized: {
    risk: CHANGED,
    step: (session) =>
      `give the file its size back, or preserve it again in another session after: luo session close ${session}`,
  },
  file_preserved: {
    risk: LOST,
    step: () => "take the session into the next kernel instead: luo kexec load KERNEL, luo kexec exec",
  },
  file_not_restorable: {
    risk: LOST,
    step: (session) => `restore the other files first: ${restoring(session, "TOKEN")}`,
  },
  file_not_preserved: {
    risk: LOST,
    step: (session, token) =>
      `free memory and preserve it: luo session keep ${session}; or save it first: ${
        restoring(session, token)
      }`,
  },
  values_not_preserved: {
    risk: LOST,
    step: () => "free memory and try again; luo get KEY --json shows a value, to save it elsewhere",
  },
  session_outgoing: {
    risk: LOST,
    step: () => "let the agent run until the kexec: luo kexec load KERNEL, luo kexec exec",
  },
  session_of_systemd: { risk: LOST, step: () => "leave the session to systemd" },
  sessions_unknown: {
    risk: LOST,
    step: () =>
      "luo status says why they are unknown; one whose name you know is retrieved with: luo session retrieve NAME",
  },
  session_not_retrieved: {
    risk: LOST,
    step: (session) => `retrieve the session first: luo session retrieve ${session}`,
  },
  session_not_finished: {
    risk: LOST,
    step: (session) => `restore the session's files, then: luo session finish ${session}`,
  },
  image_foreign: { risk: LOST, step: () => "load the next kernel with luo: luo kexec load KERNEL" },
  image_changed: { risk: LOST, step: () => "load the next kernel again: luo kexec load KERNEL" },
  image_not_held: { risk: LOST, step: () => "load the next kernel again: luo kexec load KERNEL" },
  image_truncated: { risk: LOST, step: () => "copy the kernel again, then: luo kexec load KERNEL" },
  image_unread: {
    risk: LOST,
    step: () =>
      "try it in a virtual machine: luo rehearse KERNEL; or load a kernel that luo can read: luo kexec check KERNEL",
  },
  image_old: { risk: LOST, step: () => "load a kernel with live update: luo kexec load KERNEL" },
  liveupdate_off: {
    risk: LOST,
    step: () => "add it to the command line: luo kexec load KERNEL --append liveupdate=on",
  },
  kho_off: { risk: LOST, step: () => "add it to the command line: luo kexec load KERNEL --append kho=on" },
  kho_format: { risk: LOST, step: OTHER_KERNEL },
  luo_format: { risk: LOST, step: OTHER_KERNEL },
  file_handlers: { risk: LOST, step: OTHER_KERNEL },
  liveupdate_built_in: { risk: LOST, step: OTHER_KERNEL },
  kho_built_in: { risk: LOST, step: OTHER_KERNEL },
  access_changes: {
    risk: CHANGED,
    step: () => "open the file for reading and writing (in a shell: 5<>FILE)",
  },
  sealed_exec: {
    risk: CHANGED,
    step: () => "make the memfd with MFD_EXEC, or copy it: --from /proc/PID/fd/N",
  },
  update_under_way: {
    risk: "participants of the live update would lose their state",
    step: () =>
      "let the update reach the state frozen first: luo update freeze; or end it: luo update cancel",
  },
  update_image: {
    risk: "the live update would go into another kernel than the one it was started for",
    step: () => "wait for the end of the update: luo update state; or end it: luo update cancel",
  },
  participant_not_back: {
    risk: LOST,
    step: () => "repair the participant (luo update state says what is wrong), then: luo update finish",
  },
  memory_short: { risk: "the kernel would run out of memory", step: () => "free memory, or preserve less" },
};

/** The sentence that says why it is refused: the risk of the first problem. */
export function riskOf(problems: readonly Problem[]): string {
  const [first] = problems;
  return first === undefined ? LOST : ADVICE[first.code]?.risk ?? LOST;
}

/** The steps that keep the data, one for each kind of problem, in the order of the problems; `--force` comes last. */
export function remedies(problems: readonly Problem[]): string[] {
  const firsts = problems.filter(({ code }, at) => problems.findIndex((other) => other.code === code) === at);
  const steps = firsts.flatMap(({ code, session = "SESSION", token = "TOKEN" }) =>
    // An agent of a newer version may send a code that is not in the table.
    ADVICE[code]?.step(operand(session), token) ?? []
  );
  return [...steps, forceHint(riskOf(problems))];
}

function forceHint(risk: string): string {
  return risk === LOST ? "to lose that data: --force" : "to do it all the same: --force";
}
