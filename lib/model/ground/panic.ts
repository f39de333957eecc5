/** panic(): the kernel is no more. What is left is what it printed. */

export class KernelPanic extends Error {
  override readonly name = "KernelPanic";
}
