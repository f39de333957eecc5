/** The error of all decoders: the name of a damaged thing, and what is wrong with it. */
export class KhoError extends Error {
  override readonly name = "KhoError";

  readonly thing: string;
  readonly problem: string;

  constructor(thing: string, problem: string) {
    super(`${thing}: ${problem}`);
    this.thing = thing;
    this.problem = problem;
  }
}

/** An address in the form of the kernel's own messages, `0x7f000`. */
export function hex(address: bigint): string {
  return `0x${address.toString(16)}`;
}
