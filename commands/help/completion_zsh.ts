/** The completion script for zsh. */
import { KEXEC_VERBS } from "../arguments/kexec_spelling.ts";
import { type Kind, kindOfArgument, kindOfFlag, takesCommand } from "./completion_kinds.ts";
import { quote } from "./shell_quote.ts";
import type { CommandInfo, FlagInfo, GroupInfo, RouteTree } from "./route_tree.ts";

export function zsh({ groups, commands }: RouteTree): string {
  const paths = [...groups, ...commands].map(({ path }) => path).filter((path) => path.length > 0);
  return `#compdef luo
# zsh completion for luo, printed by: luo completion zsh
${VALUES}
_luo() {
  local path_words=luo
  local -a luo_words=("\${(@Q)words[2,CURRENT-1]}" "\${(Q)PREFIX}")
  if [[ \${words[2]} == kexec && \${words[3]} == -* ]]; then
    # kexec-tools' verbs are flags.
    if (( CURRENT == 3 )); then compadd -- ${Object.keys(KEXEC_VERBS).join(" ")}; return; fi
    local -A luo_verbs=(${Object.entries(KEXEC_VERBS).flat().join(" ")})
    local -i luo_at
    for (( luo_at = 3; luo_at < CURRENT; luo_at++ )); do
      [[ \${words[luo_at]} != -- ]] || break
      local luo_verb=\${luo_verbs[\${words[luo_at]}]}
      [[ -n $luo_verb ]] || continue
      words[luo_at]=()
      words=("\${(@)words[1,2]}" $luo_verb "\${(@)words[3,-1]}")
      break
    done
  fi
  while (( CURRENT > 2 )); do
    case "$path_words \${words[2]}" in
      ${paths.map((path) => quote(words(path))).join("|")}) path_words="$path_words \${words[2]}" ;;
      *) break ;;
    esac
    shift words
    (( CURRENT-- ))
  done
  case $path_words in
${[...groups.map(groupCase), ...commands.map(commandCase)].join("\n")}
  esac
}
if [[ \${funcstack[1]} == _luo ]]; then _luo "$@"; else compdef _luo luo; fi
`;
}

/** What the running agent and this host know. In a list of _describe, a colon ends the word. */
const VALUES = `_luo_values() {
  local line
  local -a found=()
  for line in "\${(@f)$(luo complete -- "\${luo_words[@]}" 2>/dev/null)}"; do
    [[ -n $line ]] || continue
    if [[ $line == *$'\\t'* ]]; then found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}"); else found+=("\${line//:/\\\\:}"); fi
  done
  _describe -V value found
}
_luo_kernels() { _alternative 'kernels:kernel:_luo_values' 'files:file:_files' }`;

const ACTIONS: Readonly<Record<Kind, string>> = {
  files: "_files",
  values: "_luo_values",
  kernels: "_luo_kernels",
  command: "_normal",
  nothing: " ",
};

function words(path: readonly string[]): string {
  return ["luo", ...path].join(" ");
}

function groupCase({ path, entries }: GroupInfo): string {
  const list = entries.map(({ name, brief }) => `    ${quote(`${name}:${brief.replaceAll(":", "\\:")}`)}`);
  return `  ${quote(words(path))})\n  local -a list=(\n${list.join("\n")}\n  )\n  _describe command list ;;`;
}

function commandCase(command: CommandInfo): string {
  const specs = [...command.flags.map(flagSpec), ...argumentSpecs(command)].map((spec) =>
    `    ${quote(spec)}`
  );
  // The words after CMD of luo emulate are its own.
  const end = command.positional[0] === "CMD" ? " -A '-*'" : "";
  return `  ${quote(words(command.path))})\n  _arguments -S${end} \\\n${specs.join(" \\\n")} ;;`;
}

function flagSpec(flag: FlagInfo): string {
  const brief = flag.brief.replace(/[[\]:]/g, (character) => `\\${character}`);
  if (flag.placeholder === undefined) return `--${flag.name}[${brief}]`;
  const action = flag.values.length > 0 ? `(${flag.values.join(" ")})` : ACTIONS[kindOfFlag(flag)];
  return `*--${flag.name}=[${brief}]:${flag.placeholder.replaceAll(":", "\\:")}:${action}`;
}

function argumentSpecs(command: CommandInfo): string[] {
  const specs = command.positional.map((placeholder, index) => {
    const kind = kindOfArgument(placeholder);
    return kind === "command" ? `*::${placeholder}:_normal` : `${index + 1}:${placeholder}:${ACTIONS[kind]}`;
  });
  const withCommand = specs.some((spec) => spec.startsWith("*"));
  return takesCommand(command) && !withCommand ? [...specs, "*::CMD:_normal"] : specs;
}
