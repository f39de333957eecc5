/** Boolean kernel parameters as `early_param` and kstrtobool() read them. */

/** The last `NAME=VALUE` counts; undefined when there is none, or its value is no truth value. */
export function kernel_parameter(command_line: string, name: string): boolean | undefined {
  let found: boolean | undefined;
  for (const word of command_line.split(/\s+/)) {
    if (word.startsWith(`${name}=`)) found = truth(word.slice(name.length + 1)) ?? found;
  }
  return found;
}

/** kstrtobool(): only the first letters are looked at. */
function truth(value: string): boolean | undefined {
  if (/^([yYtT1]|[oO][nN])/.test(value)) return true;
  if (/^([nNfF0]|[oO][fF])/.test(value)) return false;
}
