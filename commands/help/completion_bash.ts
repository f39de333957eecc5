/** The completion script for bash. It uses the functions of bash-completion where they are there. */
import { kindOfArgument, kindOfFlag } from "./completion_kinds.ts";
import type { CommandInfo, FlagInfo, GroupInfo, RouteTree } from "./route_tree.ts";

export function bash({ groups, commands }: RouteTree): string {
  const names = groups.flatMap(({ path }) => path);
  return `# bash completion for luo, printed by: luo completion bash
${VALUES}
${COMPLETE}
_luo() {
  local cur prev words cword path first=2 flags= kinds= arguments= index position=0
  COMPREPLY=()
  if declare -F _get_comp_words_by_ref >/dev/null; then
    _get_comp_words_by_ref -n =: cur prev words cword
  else
    words=("\${COMP_WORDS[@]}") cword=$COMP_CWORD cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]}
    if [[ $cur == = ]]; then cur=; elif [[ $prev == = ]]; then prev=\${COMP_WORDS[COMP_CWORD-2]}; fi
  fi
  path=\${words[1]}
  case $path in
    ${names.join(" | ")}) path="$path \${words[2]}" first=3 ;;
  esac
  if ((cword < first)); then
    case $cword:\${words[1]} in
${groups.map(groupCase).toReversed().join("\n")}
    esac
    COMPREPLY=($(compgen -W "$flags" -- "$cur"))
    return
  fi
  case $path in
${commands.map(commandCase).join("\n")}
    *) return ;;
  esac
  for ((index = first; index < COMP_CWORD; index++)); do
    if [[ \${COMP_WORDS[index]} == -- ]]; then _luo_complete command $((index + 1)); return; fi
  done
  for ((index = first; index < cword; index++)); do
    if [[ \${words[index]} != -* ]]; then
      ((position++))
      if [[ \${arguments%% *} == command ]]; then _luo_complete command "$index"; return; fi
    elif [[ $kinds == *" \${words[index]}="* ]]; then ((index++)); fi
  done
  if [[ $cur == --*=* ]]; then prev=\${cur%%=*} cur=\${cur#*=}; fi
  if [[ $kinds == *" $prev="* ]]; then
    kinds=\${kinds##*" $prev="}
    _luo_complete "\${kinds%% *}"
  elif [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$cur"))
  elif [[ $arguments ]]; then
    read -r -a arguments <<<"$arguments"
    ((position < \${#arguments[@]})) || position=$((\${#arguments[@]} - 1))
    _luo_complete "\${arguments[position]}" "$cword"
  fi
}
complete -F _luo luo
`;
}

/** What the running agent and this host know. */
const VALUES = `_luo_values() {
  local word plain=() line
  for word in "\${words[@]:1:cword-1}" "\${words[cword]}"; do
    word=\${word//\\\\/} word=\${word//\\"/}
    plain+=("\${word//\\'/}")
  done
  while IFS=$'\\t' read -r line _; do
    # Inside of a quote nothing is quoted again.
    [[ $cur == [\\"\\']* ]] || printf -v line %q "$line"
    COMPREPLY+=("$line")
  done < <(luo complete -- "\${plain[@]}" 2>/dev/null)
  # Readline replaces only what follows the last colon.
  if [[ $cur == *:* && $COMP_WORDBREAKS == *:* ]]; then COMPREPLY=("\${COMPREPLY[@]#"\${cur%"\${cur##*:}"}"}"); fi
}`;

/** $1 is a kind (commands/help/completion_kinds.ts) or a list of words with commas. */
const COMPLETE = `_luo_complete() {
  case $1 in
    nothing) ;;
    values) _luo_values ;;
    kernels) _luo_values; _luo_complete files ;;
    files)
      compopt -o filenames 2>/dev/null
      if declare -F _filedir >/dev/null; then _filedir; else mapfile -t -O "\${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$cur"); fi ;;
    command)
      if declare -F _command_offset >/dev/null; then _command_offset "$2"
      elif ((COMP_CWORD == $2)); then mapfile -t COMPREPLY < <(compgen -c -- "$cur")
      else _luo_complete files; fi ;;
    *) COMPREPLY=($(compgen -W "\${1//,/ }" -- "$cur")) ;;
  esac
}`;

function groupCase({ path, entries }: GroupInfo): string {
  const names = entries.map(({ name }) => name).join(" ");
  return path.length === 0
    ? `      *) flags="${names} --help --version" ;;`
    : `      2:${path.join(" ")}) flags="${names} --help" ;;`;
}

function commandCase({ path, flags, positional }: CommandInfo): string {
  const names = [...flags.map(({ name }) => `--${name}`), "--help"].join(" ");
  const kinds = flags.filter(({ placeholder }) => placeholder !== undefined).map(kindWord);
  return `    "${path.join(" ")}")\n      flags="${names}"\n      kinds=" ${kinds.join(" ")} " arguments="${
    positional.map(kindOfArgument).join(" ")
  }" ;;`;
}

function kindWord(flag: FlagInfo): string {
  return `--${flag.name}=${flag.values.length > 0 ? flag.values.join(",") : kindOfFlag(flag)}`;
}
