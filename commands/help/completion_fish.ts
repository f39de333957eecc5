/** The completion script for fish. */
import { KEXEC_VERBS } from "../arguments/kexec_spelling.ts";
import { type Kind, kindOfArgument, kindOfFlag } from "./completion_kinds.ts";
import { quote } from "./shell_quote.ts";
import type { CommandInfo, FlagInfo, GroupInfo, RouteTree } from "./route_tree.ts";

export function fish({ groups, commands }: RouteTree): string {
  const lines = [
    "# fish completion for luo, printed by: luo completion fish",
    FUNCTIONS,
    "complete -c luo -f",
    "complete -c luo -n __luo_after_dashes -a '(__luo_command)'",
    ...Object.entries(KEXEC_VERBS).map(kexecLine),
    ...groups.flatMap(groupLines),
    ...commands.flatMap(commandLines),
  ];
  return `${lines.join("\n")}\n`;
}

/** The command comes directly after luo, so the words before the last one begin with it. */
const FUNCTIONS = `function __luo_words
    set -l words (commandline -opc)
    if test "$words[2]" = kexec; and string match -q -- '-*' "$words[3]"
        # kexec-tools' verbs are flags.
        for verb in ${Object.entries(KEXEC_VERBS).map((pair) => pair.join("=")).join(" ")}
            set -l pair (string split -- = $verb)
            set -l index (contains -i -- $pair[1] $words)
            or continue
            set -e words[$index]
            set words $words[1..2] $pair[2] $words[3..]
            break
        end
    end
    printf '%s\\n' $words
end
function __luo_in
    set -l words (__luo_words)
    set -l last (math 1 + (count $argv))
    test (count $words) -ge $last; and test "$words[2..$last]" = "$argv"; and not contains -- -- $words
end
function __luo_at
    test (count (__luo_words)) -eq (math 1 + (count $argv)); and begin
        test (count $argv) -eq 0; or __luo_in $argv
    end
end
function __luo_values
    # fish says that a command is not there, also without its standard error.
    type -q luo; or return
    luo complete -- (commandline -opc)[2..] "$(commandline -ct)" 2>/dev/null
end
function __luo_kernels
    __luo_values
    __fish_complete_path (string replace -r -- "^--[a-z-]+=" "" "$(commandline -ct)")
end
function __luo_after_dashes
    contains -- -- (commandline -opc)
end
function __luo_command
    set -l words (commandline -opc)
    set -l index (contains -i -- -- $words)
    set -l rest $words[(math $index + 1)..]
    complete -C "$(string join ' ' -- (string escape -- $rest) "$(commandline -ct)")"
end
function __luo_emulated
    set -l words (commandline -opc)[3..]
    while string match -q -- '-*' "$words[1]"
        test "$words[1]" = --faults; and set -e words[1]
        set -e words[1]
    end
    complete -C "$(string join ' ' -- (string escape -- $words) "$(commandline -ct)")"
end`;

const VALUES: Readonly<Record<Kind, string>> = {
  files: "-F",
  values: "-x -a '(__luo_values)'",
  kernels: "-x -a '(__luo_kernels)'",
  command: "-x -a '(__luo_emulated)'",
  nothing: "-x",
};

function kexecLine([flag, verb]: [flag: string, verb: string]): string {
  const spelled = flag.startsWith("--") ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`;
  return `complete -c luo -n '__luo_at kexec' ${spelled} -d ${quote(`As kexec ${verb}`)}`;
}

function groupLines({ path, entries }: GroupInfo): string[] {
  const condition = quote(["__luo_at", ...path].join(" "));
  return entries.map(({ name, brief }) => `complete -c luo -n ${condition} -a ${name} -d ${quote(brief)}`);
}

function commandLines({ path, flags, positional }: CommandInfo): string[] {
  const condition = quote(`__luo_in ${path.join(" ")}`);
  const kinds = new Set(positional.map(kindOfArgument));
  kinds.delete("nothing");
  return [
    ...Array.from(kinds, (kind) => `complete -c luo -n ${condition} ${VALUES[kind].replace(/^-x /, "")}`),
    ...flags.map((flag) => `complete -c luo -n ${condition} ${flagWords(flag)} -d ${quote(flag.brief)}`),
  ];
}

function flagWords(flag: FlagInfo): string {
  if (flag.placeholder === undefined) return `-l ${flag.name}`;
  const value = flag.values.length > 0
    ? `-x -a ${quote(flag.values.join(" "))}`
    : VALUES[kindOfFlag(flag)].replace(/^-F/, "-r -F");
  return `-l ${flag.name} ${value}`;
}
