/** The agent's methods about the next kernel: load, show, unload and execute it. */
import { LuoError } from "../error.ts";
import { HostFd } from "../files/host_fd.ts";
import { exec, imageLoaded, unloadImage as unload } from "../kexec/load.ts";
import { loadsLeft } from "../kexec/load_count.ts";
import type { SystemCalls } from "../system_calls.ts";
import type { AgentState } from "./agent_state.ts";
import {
  execObjections,
  formatObjections,
  loadObjections,
  nextKernelOf,
  nothingLoaded,
  unreadObjections,
} from "./image_objections.ts";
import { type JudgedImage, judgeImage } from "./judged_image.ts";
import { ImageFiles } from "./loaded_image.ts";
import { readText } from "./proc_text.ts";
import type { CheckLine, ImageInfo, Methods } from "./protocol.ts";
import { type Objection, refused } from "./refusal.ts";
import { takeFd } from "./request_checks.ts";
import { BEFORE_KEXEC } from "./update/coordinator.ts";

type LoadRequest = Methods["LoadImage"]["request"];

/** Loads an image for a client. @throws as `loadImage`; VarlinkError Refused: a live update is to go into the image that is loaded */
export function loadForClient(
  state: AgentState,
  request: LoadRequest,
  fds: number[],
): Promise<Methods["LoadImage"]["reply"]> {
  const objections = request.force ? [] : replacedInUpdate(state);
  if (objections.length > 0) throw refused("kexec load", `"${request.kernel}"`, objections);
  return loadImage(state, request, fds);
}

export async function loadImage(
  state: AgentState,
  request: LoadRequest,
  fds: number[],
): Promise<Methods["LoadImage"]["reply"]> {
  const { sys } = state;
  const subject = `"${request.kernel}"`;
  const left = loadsLeft(sys);
  using sentKernel = new HostFd(takeFd(fds, request.kernelFd, "kernelFd"));
  using sentInitrd = request.initrdFd === undefined
    ? undefined
    : new HostFd(takeFd(fds, request.initrdFd, "initrdFd"));
  using judged = await judgeImage(state, request, sentKernel, sentInitrd);
  const { kernel, initrd, commandLine, checked: { check } } = judged;
  const objections = loadObjections(judged);
  if (objections.length > 0 && !request.force) throw refused("kexec load", subject, objections);
  const image = {
    loaded: true,
    by: "luo" as const,
    kernel: request.kernel,
    size: kernel.size,
    digest: kernel.digest(),
    ...(initrd === undefined ? {} : { initrdSize: initrd.size, initrdDigest: initrd.digest() }),
    ...(request.initrd === undefined ? {} : { initrd: request.initrd }),
    ...(check.release === undefined ? {} : { release: check.release }),
    commandLine,
    loadedAt: state.options.now(),
  };
  const files = load(sys, left, judged);
  files.problems = [...unreadObjections(judged.checked), ...formatObjections(check.lines.filter(isOfImage))];
  files.handlerLines = judged.checked.handlerLines;
  files.next = nextKernelOf(judged);
  keep(state, image, files);
  state.saveDone(`Image ${subject} is loaded`);
  warmUp(state);
  return { image: currentImage(state), check };
}

/** Most of the time of the first `readyToExec` is that of V8, which compiles its code: better now than while the machine stands still. */
function warmUp(state: AgentState): void {
  const [image, running] = imageAndCommandLine(state);
  execObjections(state, image, running);
  state.saveForNextKernel();
  state.device.tryUse((device) => device.settle());
  state.reload?.isStillLoaded();
}

/** Lines about handlers depend on the files that are preserved: they are made again at exec. */
function isOfImage({ code }: CheckLine): boolean {
  return code !== "file_handlers";
}

/** @throws LuoError `kexec load`, with the reason where the image shows it */
function load(
  sys: SystemCalls,
  left: number | undefined,
  { kernel, initrd, commandLine, checked: { report: { problems } } }: JudgedImage,
): ImageFiles {
  const what = initrd === undefined ? kernel.name : `${kernel.name} with ${initrd.name}`;
  const files = new ImageFiles(sys, kernel, initrd, commandLine);
  try {
    files.load(left);
    return files;
  } catch (error) {
    files[Symbol.dispose]();
    if (!(error instanceof LuoError)) throw error;
    const why = problems.filter(({ code }) => code === "not_bootable").map(({ reason }) => reason);
    const message = why.length > 0 ? `Cannot load ${kernel.name}: ${why.join(", ")}` : `Cannot load ${what}`;
    throw new LuoError(error.operation, kernel.name, error.errno, message);
  }
}

function keep(state: AgentState, image: ImageInfo | undefined, files: ImageFiles | undefined): void {
  state.reload?.[Symbol.dispose]();
  state.reload = files;
  state.image = image;
}

/** The kernel tells only that an image is loaded; the other fields are what this agent recorded when it loaded one. */
export function currentImage(state: AgentState): ImageInfo {
  if (!loaded(state.sys)) return { loaded: false };
  if (state.image === undefined) return { loaded: true, by: "other" };
  return { ...state.image, held: state.reload !== undefined };
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
  const before = currentImage(state);
  unload(state.sys);
  keep(state, undefined, undefined);
  state.saveDone("The image is unloaded");
  const image = currentImage(state);
  return before.loaded ? { image, unloaded: before } : { image };
}

/** Loads an image for an update. The one that it replaces is kept, in case the update is cancelled. @throws as `loadImage` */
export async function loadForUpdate(state: AgentState, request: LoadRequest, fds: number[]): Promise<void> {
  const { image, reload } = state;
  // `loadImage` disposes of the files that it finds there.
  state.reload = undefined;
  const replaced = image === undefined || reload === undefined ? undefined : { image, reload };
  try {
    await loadImage(state, request, fds);
    state.replaced = replaced;
  } catch (error) {
    const loaded = state.reload !== undefined;
    if (!loaded) state.reload = reload;
    // The image is loaded, and the full disk does not take the record of it: the update has not loaded it then.
    else if (error instanceof LuoError) {
      state.replaced = replaced;
      putBackOrLog(state);
    }
    throw error;
  }
}

function putBackOrLog(state: AgentState): void {
  try {
    putImageBack(state);
  } catch (error) {
    if (!(error instanceof LuoError)) throw error;
    state.options.log(error.message);
  }
}

/** Unloads the image of an update that is cancelled, and loads the one that it replaced. @throws LuoError */
export function putImageBack(state: AgentState): void {
  const { replaced } = state;
  state.replaced = undefined;
  if (replaced === undefined) return void unloadImage(state);
  replaced.reload.load();
  keep(state, replaced.image, replaced.reload);
  state.saveDone("The image that was loaded before is loaded again");
}

/** Never returns: throws an error, or on the model `ProcessKilled`. */
export function execImage(
  state: AgentState,
  { force, prepare }: Methods["ExecImage"]["request"],
): Methods["ExecImage"]["reply"] {
  const more = [...updateObjections(state), ...prepare ? unstored(state) : []];
  readyToExec(state, force ?? false, force ? [] : more);
  return prepare ? {} : exec(state.sys);
}

/**
 * Everything that comes before the reboot call: the checks, file systems synced, and the image loaded once more unless it is
 * certainly still loaded.
 *
 * @param more other reasons to refuse
 * @throws VarlinkError Refused; LuoError
 */
export function readyToExec(state: AgentState, force: boolean, more: readonly Objection[] = []): void {
  // Before the sessions are looked at: they are known after the device was open. A program that has it open may be using live update.
  state.device.tryUse(() => {});
  const [image, running] = imageAndCommandLine(state);
  if (!image.loaded) throw nothingLoaded();
  const objections = force ? [] : [...more, ...execObjections(state, image, running)];
  if (objections.length > 0) throw refused("kexec exec", "the loaded kernel", objections);
  state.saveForNextKernel();
  state.sys.sync();
  state.device.tryUse((device) => device.settle());
  // Last: from here to the reboot call another program's image would not be noticed.
  loadAgain(state, force);
}

function imageAndCommandLine(state: AgentState): [ImageInfo, string] {
  return [currentImage(state), readText(state.sys, "/proc/cmdline") ?? ""];
}

/** The service manager ends the agent before the kexec, and with it every session that only the agent has. */
function unstored({ outgoing, store }: AgentState): Objection[] {
  return [...outgoing.values()].filter(({ session }) => !store.holds(session)).map(({ info: { name } }) => ({
    code: "session_outgoing",
    session: name,
    reason: `session "${name}" is not in systemd's fd store, and systemd ends the agent before the kexec`,
  }));
}

/** A kexec in the middle of an update would take the workloads with it that are not frozen. */
function updateObjections({ update }: AgentState): Objection[] {
  const state = update?.state ?? "normal";
  if (!BEFORE_KEXEC.has(state) || state === "frozen") return [];
  return [{
    code: "update_under_way",
    reason: `a live update is ${state}, and its participants are not frozen`,
  }];
}

/** Participants were told which kernel comes next, and prepared for it. */
function replacedInUpdate(state: AgentState): Objection[] {
  const step = state.update?.state ?? "normal";
  if (!BEFORE_KEXEC.has(step) || !loaded(state.sys)) return [];
  return [{
    code: "update_image",
    reason: `a live update is ${step}, and it is to go into the kernel that is loaded`,
  }];
}

function loadAgain({ sys, reload, image }: AgentState, force: boolean): void {
  if (reload?.isStillLoaded()) return;
  try {
    reload?.load();
  } catch (error) {
    if (!(error instanceof LuoError)) throw error;
    // Where loading is forbidden until the next boot, no other program can have loaded over this image either.
    const forbidden = readText(sys, "/proc/sys/kernel/kexec_load_disabled") === "1";
    if (force || (error.is("EPERM") && forbidden)) return;
    const reason = `"${image?.kernel}" cannot be loaded again (${error.code}), and another may be by now`;
    throw refused("kexec exec", "the loaded kernel", [{ code: "image_changed", reason }]);
  }
}
