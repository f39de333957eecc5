/** Judges the image of a load request before it is loaded, and takes the kernel out of what it is wrapped in. */
import type { HostFd } from "../files/host_fd.ts";
import { SealedCopy } from "../files/sealed_copy.ts";
import { buildCommandLine } from "../kexec/command_line.ts";
import { preservedFiles } from "../kexec/check/preserved_files.ts";
import type { Checked } from "../kexec/check/check.ts";
import type { Methods } from "./protocol.ts";
import type { AgentState } from "./agent_state.ts";

type LoadRequest = Methods["LoadImage"]["request"];

/** Processor time for the image. A slow machine must not load an image only because nothing could be told of it in time. */
const UNPACK_MS = 60_000;

/** The files that were sent, and what they are to be loaded as. Disposing it lets go of the files. */
export interface JudgedImage extends Disposable {
  readonly kernel: SealedCopy;
  readonly initrd?: SealedCopy;
  readonly commandLine: string;
  readonly running: string;
  readonly checked: Checked;
}

/** @throws LuoError `kexec load`, `read` */
export async function judgeImage(
  state: AgentState,
  request: LoadRequest,
  sentKernel: HostFd,
  sentInitrd: HostFd | undefined,
): Promise<JudgedImage> {
  // The reader of images and what it needs are loaded when an image comes, not with the agent.
  const { readImageFile } = await import("../kexec/image/image_file.ts");
  const { checkPlan } = await import("../kexec/check/check.ts");
  const { readRunningKernel } = await import("../kexec/check/running_kernel.ts");
  const { sys } = state;
  using opened = new DisposableStack();
  const name = `"${request.kernel}"`;
  const file = opened.use(SealedCopy.of([{ fd: sentKernel.number, name }]));
  const read = (offset: number, length: number) => file.read(offset, length);
  const image = await readImageFile({ size: file.size, read }, UNPACK_MS);
  const kernel = image.wraps.length === 0 ? file : opened.use(SealedCopy.ofBytes(image.kernel, name));
  const initrds = [
    ...image.uki?.initrd === undefined
      ? []
      : [opened.use(SealedCopy.ofBytes(image.uki.initrd, `the initrd in ${name}`))],
    ...sentInitrd === undefined ? [] : [{ fd: sentInitrd, name: `initrd "${request.initrd ?? ""}"` }],
  ];
  const initrd = initrds.length === 0
    ? undefined
    : opened.use(SealedCopy.of(initrds.map(({ fd, name }) => ({ fd: fd.number, name }))));
  const running = await readRunningKernel(sys);
  const own = request.imageCommandLine ? image.uki?.commandLine : undefined;
  const commandLine = buildCommandLine({
    ...request,
    commandLine: request.commandLine ?? own,
    running: running.commandLine,
    reuse: request.reuseCommandLine ?? false,
  });
  const checked = checkPlan(sys, {
    image,
    file: { size: file.size, read },
    path: request.kernel,
    commandLine,
    initrdBytes: initrd?.size ?? 0,
    preserved: preservedFiles(state.sessions()),
    running,
  });
  const held = opened.move();
  return {
    kernel,
    initrd,
    commandLine,
    running: running.commandLine,
    checked,
    [Symbol.dispose]: () => held[Symbol.dispose](),
  };
}
