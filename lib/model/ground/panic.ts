/** panic(): the kernel stops for good; only its console output remains. */

export class KernelPanic extends Error {
  override readonly name = "KernelPanic";
}
