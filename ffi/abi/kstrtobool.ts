/** kstrtobool() of lib/kstrtox.c: how the kernel reads a parameter that is on or off. */

/**
 * True, false, or undefined for a text that the kernel does not accept. One letter decides, except in `on` and `off`, where two do;
 * `e` stands for enable and `d` for disable.
 */
export function kstrtobool(text: string): boolean | undefined {
  if (/^([eyt1]|on)/i.test(text)) return true;
  if (/^([dnf0]|of)/i.test(text)) return false;
  return undefined;
}
