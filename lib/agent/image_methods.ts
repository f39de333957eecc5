import { Errno } from "../../ffi/abi/errno.ts";
import { check, LuoError } from "../error.ts";
import { Fd } from "../fd.ts";
import { buildCommandLine, commandLineProblems } from "../kexec/command_line.ts";
import { type Architecture, checkImage, type ImageReport } from "../kexec/check_image.ts";
import { exec, imageLoaded, unloadImage as unload } from "../kexec/load.ts";
import type { Stat, SystemCalls } from "../system_calls.ts";
import { readText } from "./proc_text.ts";
import { ImageFiles } from "./loaded_image.ts";
import type { ImageInfo, Methods, SessionInfo } from "./protocol.ts";
import { dataFirst, type Objection, refused, SESSION_PROBLEM } from "./refusal.ts";
import { agentError, takeFd } from "./request_checks.ts";
import type { AgentState } from "./agent_state.ts";

/** What reboot(2) calls EINVAL. */
const NOTHING_LOADED = "Cannot execute the next kernel: no image is loaded";

type LoadRequest = Methods["LoadImage"]["request"];

export function loadImage(
  state: AgentState,
  request: LoadRequest,
  fds: number[],
): Methods["LoadImage"]["reply"] {
  const { sys } = state;
  const subject = `"${request.kernel}"`;
  using files = new DisposableStack();
  const image = files.use(adopt(sys, takeFd(fds, request.kernelFd, "kernelFd"), subject));
  const initrd = request.initrdFd === undefined
    ? undefined
    : files.use(adopt(sys, takeFd(fds, request.initrdFd, "initrdFd"), `"${request.initrd ?? "initrd"}"`));
  const running = readText(sys, "/proc/cmdline") ?? "";
  const commandLine = buildCommandLine({ ...request, running, reuse: request.reuseCommandLine ?? false });
  const { size } = check<Stat>(sys.fstat(image.number), "kexec load", subject);
  const report = judge(sys, image, Number(size), subject);
  const objections = [
    ...cutOff(report),
    ...tooOld(report),
    ...lineProblems(commandLine, running),
  ];
  if (objections.length > 0 && !request.force) throw refused("kexec load", subject, objections);
  const opened = new ImageFiles(image, initrd, commandLine);
  try {
    opened.load(sys);
  } catch (error) {
    if (!(error instanceof LuoError)) throw error;
    const why = report.problems.map(({ reason }) => `: ${reason}`).join("");
    throw new LuoError(error.operation, subject, error.errno, `Cannot load ${subject}${why}`);
  }
  files.move();
  state.reload?.[Symbol.dispose]();
  state.reload = opened;
  state.image = {
    loaded: true,
    by: "luo",
    kernel: request.kernel,
    ...(request.initrd === undefined ? {} : { initrd: request.initrd }),
    size: Number(size),
    ...(report.release === undefined ? {} : { release: report.release }),
    commandLine,
    loadedAt: state.options.now(),
  };
  state.saveDone(`Image ${subject} is loaded`);
  return { image: state.image };
}

function adopt(sys: SystemCalls, host_fd: number, subject: string): Fd {
  return new Fd(sys, check(sys.adopt(host_fd), "kexec load", subject));
}

function judge(sys: SystemCalls, image: Fd, size: number, subject: string): ImageReport {
  const machine: Architecture = sys.uname().machine === "aarch64" ? "aarch64" : "x86_64";
  const read = (offset: number, length: number) => {
    const bytes = new Uint8Array(length);
    return bytes.subarray(0, check(sys.pread(image.number, bytes, BigInt(offset)), "kexec load", subject));
  };
  return checkImage(read, size, machine);
}

function cutOff({ problems }: ImageReport): Objection[] {
  return problems.flatMap(({ kind, reason }) =>
    kind === "truncated" ? [{ code: "image_truncated", reason }] : []
  );
}

/** A command line that no kernel takes is a bad request, even with force; the other problems are reasons to refuse. */
function lineProblems(commandLine: string, running: string): Objection[] {
  return commandLineProblems(commandLine, running).map(({ code, reason }) => {
    if (code === "too_long" || code === "has_nul") throw agentError("BadRequest", { message: reason });
    return { code, reason };
  });
}

/** The image as the kernel has it: that one is loaded it says, the rest is what this agent remembers. */
export function currentImage(state: AgentState): ImageInfo {
  if (!loaded(state.sys)) return { loaded: false };
  return state.image ?? { loaded: true, by: "other" };
}

/** A kernel without kexec has no image loaded. */
function loaded(sys: SystemCalls): boolean {
  try {
    return imageLoaded(sys);
  } catch {
    return false;
  }
}

export function showImage(state: AgentState): Methods["ShowImage"]["reply"] {
  return { image: currentImage(state) };
}

export function unloadImage(state: AgentState): Methods["UnloadImage"]["reply"] {
  unload(state.sys);
  state.image = undefined;
  state.reload?.[Symbol.dispose]();
  state.reload = undefined;
  state.saveDone("The image is unloaded");
  return { image: currentImage(state) };
}

/** Live update came with 6.19. A release without a number says nothing, and a kernel may be patched: then it takes force. */
function tooOld({ release }: ImageReport): Objection[] {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(release ?? "") ?? [];
  const old = major !== undefined && Number(major) * 1000 + Number(minor) < 6019;
  if (!old || release?.includes("-series-v6")) return [];
  return [{
    code: "image_old",
    reason: `its release, ${release}, is from before live update (6.19): every session would be lost`,
  }];
}

/** Comes back only by throwing: an error, or on the model the end of this process. */
export function execImage(
  state: AgentState,
  { force }: Methods["ExecImage"]["request"],
): Methods["ExecImage"]["reply"] {
  const image = currentImage(state);
  const running = readText(state.sys, "/proc/cmdline") ?? "";
  const objections = force ? [] : [...imageObjections(image, running), ...sessionObjections(state)];
  if (objections.length > 0) throw refused("kexec exec", "the loaded kernel", objections);
  loadAgain(state, force ?? false);
  state.sys.sync();
  state.device.settle();
  exec(state.sys);
  throw new LuoError("kexec exec", "the loaded kernel", 5, "The kernel came back from the kexec");
}

function loadAgain({ sys, reload, image }: AgentState, force: boolean): void {
  try {
    reload?.load(sys);
  } catch (error) {
    if (!(error instanceof LuoError)) throw error;
    // Where loading is forbidden for good, nobody else has loaded over it either.
    const forbidden = readText(sys, "/proc/sys/kernel/kexec_load_disabled") === "1";
    if (force || (error.is("EPERM") && forbidden)) return;
    const reason = `"${image?.kernel}" cannot be loaded again (${error.code}), and another may be by now`;
    throw refused("kexec exec", "the loaded kernel", [{ code: "image_changed", reason }]);
  }
}

/** An image that was loaded by force is no less dangerous for that: whoever executes it may not be who loaded it. */
function imageObjections({ loaded, by, commandLine }: ImageInfo, running: string): Objection[] {
  if (!loaded) throw new LuoError("kexec exec", "the next kernel", Errno.EINVAL, NOTHING_LOADED);
  if (by === "luo") return lineProblems(commandLine ?? "", running);
  const reason =
    "another program loaded the image: one loaded by kexec_load(2), or without liveupdate=on, drops every session";
  return [{ code: "image_foreign", reason }];
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
