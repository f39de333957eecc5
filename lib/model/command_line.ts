/** Kernel parameters: booleans as `early_param` and kstrtobool() read them, and `initcall_blacklist`. */

/** The last `NAME=VALUE` counts; undefined when there is none, or its value is no truth value. */
export function kernel_parameter(command_line: string, name: string): boolean | undefined {
  let found: boolean | undefined;
  for (const word of command_line.split(/\s+/)) {
    if (word.startsWith(`${name}=`)) found = truth(word.slice(name.length + 1)) ?? found;
  }
  return found;
}

/** `initcall_blacklist=NAME,NAME`: an initcall that is skipped, and with it what it registers. */
export function initcall_blacklisted(command_line: string, name: string): boolean {
  const lists = command_line.split(/\s+/).filter((word) => word.startsWith("initcall_blacklist="));
  return lists.some((word) => word.slice("initcall_blacklist=".length).split(",").includes(name));
}

/** kstrtobool(): only the first letters are looked at. */
function truth(value: string): boolean | undefined {
  if (/^([yYtT1]|[oO][nN])/.test(value)) return true;
  if (/^([nNfF0]|[oO][fF])/.test(value)) return false;
}
