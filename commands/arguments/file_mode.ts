/** Permission bits of a file as an argument: octal, as chmod(1) takes them. */

/** Set-user-ID, set-group-ID and the sticky bit are refused: luo restores data, not programs. */
export function parseMode(text: string): number {
  if (!/^0?[0-7]{3}$/.test(text)) {
    throw new RangeError("a mode is three octal digits, such as 640");
  }
  return parseInt(text, 8);
}
