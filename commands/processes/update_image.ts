/** The image that a live update loads: its files, opened for the agent. */
import type { Methods } from "../../lib/agent/protocol.ts";
import type { UpdateRequest } from "../arguments/update_flags.ts";
import { visible } from "../base/text.ts";

type Step = Methods["StepUpdate"]["request"];

/** Calls `work` with the request for the agent and the descriptors of the image, which are closed afterwards. */
export async function withImage<T>(
  step: Step["step"],
  { image, ...options }: UpdateRequest,
  work: (request: Step, fds: readonly number[]) => Promise<T>,
): Promise<T> {
  if (image === undefined) return await work({ step, ...options }, []);
  const { openImage, openInitrd } = await import("../../lib/files/open_image.ts");
  const { kernel: path, initrds, ...wish } = image;
  using kernel = openImage(path);
  using initrd = openInitrd(initrds);
  const fds = initrd === undefined ? [kernel.number] : [kernel.number, initrd.number];
  // The agent takes these names as text to show: a path that is not UTF-8 is shown with \xHH.
  const names = { kernel: visible(path), initrd: initrds.map(visible).join(" + ") || undefined };
  const indexes = { kernelFd: 0, initrdFd: initrd === undefined ? undefined : 1 };
  return await work({ step, ...options, ...wish, ...names, ...indexes }, fds);
}
