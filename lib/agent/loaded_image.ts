import type { Fd } from "../fd.ts";
import { loadImage } from "../kexec/load.ts";
import type { SystemCalls } from "../system_calls.ts";

/**
 * The files of the loaded image, kept open. Another program may load an image over ours without our seeing it: the kernel only
 * says that one is loaded. One loaded by kexec_load(2) would drop every session, so ours is loaded again just before the kexec.
 */
export class ImageFiles implements Disposable {
  constructor(readonly kernel: Fd, readonly initrd: Fd | undefined, readonly commandLine: string) {}

  /** @throws LuoError `kexec load`, see `loadImage` of lib/kexec; then what was loaded before still is */
  load(sys: SystemCalls): void {
    loadImage(sys, this);
  }

  [Symbol.dispose](): void {
    this.kernel[Symbol.dispose]();
    this.initrd?.[Symbol.dispose]();
  }
}
