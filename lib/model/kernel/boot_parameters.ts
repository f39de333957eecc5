/**
 * Reads the parameters of a kernel's command line: switches (`early_param`, kstrtobool()), lists, and
 * `initcall_blacklist`.
 */
import { encodeOsText } from "../../../ffi/abi/os_text.ts";
import { kstrtobool } from "../../../ffi/abi/kstrtobool.ts";

/**
 * The value of a switch. The last valid `NAME=VALUE` wins; undefined when there is none. Linux calls an invalid one a
 * "Malformed early option".
 */
export function kernel_parameter(command_line: string, name: string): boolean | undefined {
  let found: boolean | undefined;
  for (const value of kernel_values(command_line, name)) found = kstrtobool(value) ?? found;
  return found;
}

/** `initcall_blacklist=NAME,NAME` skips initcalls, and so all that they register. */
export function initcall_blacklisted(command_line: string, name: string): boolean {
  return kernel_values(command_line, "initcall_blacklist").some((list) => list.split(",").includes(name));
}

/**
 * parse_args() and next_arg() (kernel/params.c, lib/cmdline.c): white space between quotes does not end a word; `--`
 * ends the parameters.
 */
export function kernel_values(command_line: string, name: string): string[] {
  const found: string[] = [];
  // Byte by byte: the kernel takes 0xa0 for a space, and knows no other characters.
  const bytes = Array.from(encodeOsText(command_line), (byte) => String.fromCharCode(byte)).join("");
  for (const [text] of bytes.matchAll(/(?:[^\s"]|"[^"]*(?:"|$))+/g)) {
    const word = text.startsWith('"') ? text.slice(1).replace(/"$/, "") : text;
    if (word === "--") break;
    if (!word.startsWith(`${name}=`)) continue;
    const value = word.slice(name.length + 1);
    found.push(value.startsWith('"') ? value.slice(1).replace(/"$/, "") : value);
  }
  return found;
}
