/** What was handed over cannot be right: which thing, at which address, and what is wrong with it. */
export class KhoError extends Error {
  override readonly name = "KhoError";

  constructor(readonly thing: string, readonly problem: string) {
    super(`${thing}: ${problem}`);
  }
}

/** `0x7f000`, as the kernel's own messages have it. */
export function hex(address: bigint): string {
  return `0x${address.toString(16)}`;
}
