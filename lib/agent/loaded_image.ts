/** The bytes of the loaded image, sealed and kept for as long as it is loaded, so that it can be loaded again. */
import { Fd } from "../fd.ts";
import type { SealedCopy } from "../files/sealed_copy.ts";
import type { BuiltInLine } from "../kexec/built_in_line.ts";
import type { Checked } from "../kexec/check/check.ts";
import { architectureOf } from "../kexec/check/running_kernel.ts";
import type { Architecture } from "../kexec/file_kind.ts";
import { loadImage } from "../kexec/load.ts";
import { loadsLeft } from "../kexec/load_count.ts";
import type { SystemCalls } from "../system_calls.ts";
import type { Objection } from "./refusal.ts";

/** The facts of the kernel in the image that decide how it reads its command line. */
export interface NextKernel {
  /** Whether it has KHO on without a word on its command line, where that is known. */
  readonly khoDefault?: boolean;
  /** The command line in the image. */
  readonly builtIn?: BuiltInLine;
  readonly machine: Architecture;
}

/**
 * Another program may load an image over luo's: the kernel only tells that some image is loaded. An image loaded by kexec_load(2)
 * would drop every session. So luo loads its own again just before the kexec, unless the kernel's count of loads proves that
 * nobody has loaded any since; from these copies, and not from files that may have changed since they were judged.
 */
export class ImageFiles implements Disposable {
  readonly #kernel: Fd;
  readonly #initrd: Fd | undefined;
  /** Why the next kernel does not take over what this one hands over. Not empty only when the load was forced. */
  problems: readonly Objection[] = [];
  /** The check's lines about handlers, for the files that are preserved when the image is executed. */
  handlerLines: Checked["handlerLines"] = () => [];
  next: NextKernel;
  /** The kernel's count after the load. Undefined: the count does not prove which image is loaded. */
  #left: number | undefined;

  constructor(
    readonly sys: SystemCalls,
    kernel: SealedCopy,
    initrd: SealedCopy | undefined,
    readonly commandLine: string,
  ) {
    this.#kernel = enter(sys, kernel);
    this.next = { machine: architectureOf(sys) };
    try {
      this.#initrd = initrd === undefined ? undefined : enter(sys, initrd);
    } catch (error) {
      this.#kernel[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * @param left the kernel's count of loads before this one. A call of another program that it has counted already may still be
   *   under way, and end after this one: so the count should be taken some time before
   * @throws LuoError `kexec load`, see `loadImage` of lib/kexec; then what was loaded before still is
   */
  load(left = loadsLeft(this.sys)): void {
    this.#left = undefined;
    loadImage(this.sys, { kernel: this.#kernel, initrd: this.#initrd, commandLine: this.commandLine });
    const after = loadsLeft(this.sys);
    if (left !== undefined && after === left - 1) this.#left = after;
  }

  /** Whether it is certain that the loaded image is this one. */
  isStillLoaded(): boolean {
    return this.#left !== undefined && loadsLeft(this.sys) === this.#left;
  }

  [Symbol.dispose](): void {
    this.#kernel[Symbol.dispose]();
    this.#initrd?.[Symbol.dispose]();
  }
}

/** `adopt` takes the copy's descriptor over. */
function enter(sys: SystemCalls, copy: SealedCopy): Fd {
  return Fd.of(sys, sys.adopt(copy.fd.release()), "kexec load", copy.name);
}
