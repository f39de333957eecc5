/** Completion scripts for bash, zsh and fish. */
import type { CommandInfo, FlagInfo, GroupInfo, RouteTree } from "./route_tree.ts";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/** The completion script for a shell: commands, flags, values of flags, and files where a path belongs. */
export function completionScript(shell: Shell, tree: RouteTree): string {
  switch (shell) {
    case "bash":
      return bash(tree);
    case "zsh":
      return zsh(tree);
    case "fish":
      return fish(tree);
  }
}

/** The placeholders of paths. */
const PATHS: readonly string[] = ["FILE", "PATH", "KERNEL", "IMAGE"];

/** Whether the value of a flag is a path. */
function takesPath({ placeholder }: FlagInfo): boolean {
  return placeholder !== undefined && PATHS.includes(placeholder);
}

/** Whether the positional arguments are paths. */
function positionalIsPath({ positional }: CommandInfo): boolean {
  return positional.some((placeholder) => PATHS.includes(placeholder));
}

function words(path: readonly string[]): string {
  return ["luo", ...path].join(" ");
}

function bash({ groups, commands }: RouteTree): string {
  const cases = [
    ...groups.map((group) =>
      `    "${words(group.path)}") list="${group.entries.map(({ name }) => name).join(" ")} --help" ;;`
    ),
    ...commands.map((command) => {
      const flags = [...command.flags.map(({ name }) => `--${name}`), "--help"].join(" ");
      return `    "${words(command.path)}") list="${flags}"${positionalIsPath(command) ? " files=1" : ""} ;;`;
    }),
  ];
  return `# bash completion for luo, printed by: luo completion bash
_luo() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} path=luo list= files= i
  COMPREPLY=()
  case $before in
${valueCases(commands)}  esac
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$path \${COMP_WORDS[i]}" in
${groupCases(groups, commands)}    esac
  done
  case $path in
${cases.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$list" -- "$word"))
  if [[ $files && $word != -* ]]; then COMPREPLY+=($(compgen -f -- "$word")); fi
}
complete -o filenames -F _luo luo
`;
}

function groupCases(groups: readonly GroupInfo[], commands: readonly CommandInfo[]): string {
  const paths = [...groups, ...commands].map(({ path }) => path).filter((path) => path.length > 0);
  return `      ${paths.map((path) => `"${words(path)}"`).join(" | ")}) path="$path \${COMP_WORDS[i]}" ;;\n`;
}

/** The completion of the values of flags. */
function valueCases(commands: readonly CommandInfo[]): string {
  const flags = new Map(commands.flatMap(({ flags }) => flags).map((flag) => [flag.name, flag]));
  let text = "";
  for (const flag of flags.values()) {
    if (flag.placeholder === undefined) continue;
    const generator = takesPath(flag) ? "-f" : `-W "${flag.values.join(" ")}"`;
    text += `    --${flag.name}) COMPREPLY=($(compgen ${generator} -- "$word")); return ;;\n`;
  }
  return text;
}

function zsh({ groups, commands }: RouteTree): string {
  const functions = [
    ...groups.map((group) => {
      const list = group.entries.map(({ name, brief }) =>
        `    ${quote(`${name}:${brief.replaceAll(":", "\\:")}`)}`
      );
      return `  ${quote(words(group.path))})\n  local -a list=(\n${
        list.join("\n")
      }\n  )\n  _describe command list ;;`;
    }),
    ...commands.map((command) => {
      const specs = command.flags.map((flag) => `    ${quote(zshFlag(flag))}`);
      const rest = positionalIsPath(command)
        ? "'*:file:_files'"
        : `'*: :_message "${command.positional.join(" ")}"'`;
      return `  ${quote(words(command.path))})\n  _arguments \\\n${specs.join(" \\\n")} \\\n    ${rest} ;;`;
    }),
  ];
  const paths = [...groups, ...commands].map(({ path }) => path).filter((path) => path.length > 0);
  return `#compdef luo
# zsh completion for luo, printed by: luo completion zsh
_luo() {
  local path_words=luo
  while (( CURRENT > 2 )); do
    case "$path_words \${words[2]}" in
      ${paths.map((path) => quote(words(path))).join("|")}) path_words="$path_words \${words[2]}" ;;
      *) break ;;
    esac
    shift words
    (( CURRENT-- ))
  done
  case $path_words in
${functions.join("\n")}
  esac
}
if [[ \${funcstack[1]} == _luo ]]; then _luo "$@"; else compdef _luo luo; fi
`;
}

function zshFlag(flag: FlagInfo): string {
  const brief = flag.brief.replace(/[[\]:]/g, (character) => `\\${character}`);
  if (flag.placeholder === undefined) return `--${flag.name}[${brief}]`;
  const action = takesPath(flag) ? "_files" : flag.values.length > 0 ? `(${flag.values.join(" ")})` : " ";
  return `--${flag.name}=[${brief}]:${flag.placeholder.replaceAll(":", "\\:")}:${action}`;
}

function fish({ groups, commands }: RouteTree): string {
  const lines = ["# fish completion for luo, printed by: luo completion fish", "complete -c luo -f"];
  for (const group of groups) {
    const below = group.entries.map(({ name }) => name).join(" ");
    const condition = group.path.length === 0
      ? "__fish_use_subcommand"
      : `__fish_seen_subcommand_from ${group.path.join(" ")}; and not __fish_seen_subcommand_from ${below}`;
    for (const { name, brief } of group.entries) {
      lines.push(`complete -c luo -n ${quote(condition)} -a ${name} -d ${quote(brief)}`);
    }
  }
  for (const command of commands) {
    const seen = command.path.map((word) => `__fish_seen_subcommand_from ${word}`);
    // `luo agent status` must not complete as `luo status`.
    if (command.path.length === 1) seen.push(`not __fish_seen_subcommand_from ${names(groups)}`);
    const condition = seen.join("; and ");
    if (positionalIsPath(command)) lines.push(`complete -c luo -n ${quote(condition)} -F`);
    for (const flag of command.flags) {
      const value = flag.placeholder === undefined
        ? ""
        : takesPath(flag)
        ? " -r -F"
        : ` -x -a ${quote(flag.values.join(" "))}`;
      lines.push(`complete -c luo -n ${quote(condition)} -l ${flag.name}${value} -d ${quote(flag.brief)}`);
    }
  }
  return `${lines.join("\n")}\n`;
}

/** The names of all groups. */
function names(groups: readonly GroupInfo[]): string {
  return groups.flatMap(({ path }) => path).join(" ");
}

/** Quotes a word for all three shells. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
