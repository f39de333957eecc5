/** The file with this host's defaults, /etc/luo/luo.conf: lines `NAME=value`, which systemd's EnvironmentFile= reads too. */
import { suggestion } from "../errors/nearest.ts";
import { Failure } from "../errors/failure.ts";

/** Where the file is, unless LUO_CONFIG names another one. */
export const CONFIG_FILE = "/etc/luo/luo.conf";

/** All settings, each with its meaning. The manual page luo.conf(5) lists them. */
export const SETTINGS = {
  LUO_KERNEL: "The kernel that luo kexec load and luo kexec check take when none is named.",
  LUO_INITRD: "Its initramfs. Several, separated by blanks, are put one after the other.",
  LUO_CMDLINE: "Its command line. Without it: that of a unified kernel image, or that of the running kernel.",
  LUO_APPEND: "Words to add to its command line, when they are not there already.",
  LUO_PARTICIPANTS:
    "The directory with the participants of live updates. The agent reads it from its environment.",
  LUO_ACCESS: "The file with the access rules of the agent, which reads it from its environment.",
  LUO_INITRAMFS: "yes: new initramfs images bring the agent up before the root file system is mounted.",
} as const;

export type Setting = keyof typeof SETTINGS;
export type Config = Readonly<Partial<Record<Setting, string>>>;

/** @throws Failure `usage`: it names the line that cannot be read. A setting that is misspelt must not be ignored. */
export function parseConfig(text: string, path: string): Config {
  const config: Partial<Record<Setting, string>> = {};
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#") || line.startsWith(";")) continue;
    const wrong = (why: string, hint?: string) =>
      new Failure("usage", `Cannot read line ${index + 1} of "${path}": ${why}`, {
        hints: hint === undefined ? [] : [hint],
      });
    const [, name = "", given = ""] = /^([A-Za-z_]\w*)=(.*)$/.exec(line) ?? [];
    if (name === "") throw wrong("it is not NAME=value");
    const value = unquoted(given);
    if (value === undefined) {
      throw wrong("its value is not quoted as it should be", "quote the whole value, or nothing of it");
    }
    if (value.includes("\ufffd")) throw wrong("its value is not UTF-8");
    if (isSetting(name)) config[name] = value;
    else if (name.startsWith("LUO_")) {
      throw wrong(`there is no setting ${name}`, suggestion(name, Object.keys(SETTINGS)));
    }
  }
  return config;
}

function isSetting(name: string): name is Setting {
  return Object.hasOwn(SETTINGS, name);
}

/**
 * The value without its quotes, as systemd (environment.d(5)) and a shell read it. Undefined: the two would not read the same
 * value, or a quote is missing.
 */
function unquoted(given: string): string | undefined {
  if (/^'[^']*'$/.test(given)) return given.slice(1, -1);
  if (/^"(?:[^"\\$`]|\\["\\$`])*"$/.test(given)) return given.slice(1, -1).replace(/\\(.)/g, "$1");
  // Unquoted blanks end the value in a shell, and do not in systemd: all other values are one word.
  return /^[\w@%+=:,./~-]*$/.test(given) ? given : undefined;
}
