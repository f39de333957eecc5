/** Arguments that are text: names, labels, command lines. Paths may be any bytes, these may not. */

/** For stricli's `parse`. @throws RangeError the argument is not UTF-8 */
export function textArgument(input: string): string {
  if (!input.isWellFormed()) throw new RangeError("it is not UTF-8");
  return input;
}
