/** The completion script for bash. It completes files and commands with the functions of bash-completion where they are there. */
import { KEXEC_VERBS } from "../arguments/kexec_spelling.ts";
import { kindOfArgument, kindOfFlag } from "./completion_kinds.ts";
import type { CommandInfo, FlagInfo, GroupInfo, RouteTree } from "./route_tree.ts";

export function bash({ groups, commands }: RouteTree): string {
  const names = groups.flatMap(({ path }) => path);
  return `# bash completion for luo, printed by: luo completion bash
${WORDS}
${VALUES}
${COMPLETE}
_luo() {
  local cur prev words cword path first=2 flags= kinds= arguments= index position=0
  COMPREPLY=()
  _luo_words
  path=\${words[1]}
  case $path in
    ${names.join(" | ")}) path="$path \${words[2]}" first=3 ;;
  esac
  if [[ $path == "kexec -"* ]]; then
    for ((index = 2; index < cword; index++)); do
      case \${words[index]} in
        --) break ;;
${kexecCases()}
      esac
    done
    if ((cword == 2)); then COMPREPLY=($(compgen -W "${
    Object.keys(KEXEC_VERBS).join(" ")
  } --help" -- "$cur")); return; fi
  fi
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

/** Readline ends a word at "=" and ":". Here it goes on, up to the cursor. */
const WORDS = `_luo_words() {
  local line=\${COMP_LINE:0:COMP_POINT} rest word index
  words=() cword=-1
  for ((index = 0; index <= COMP_CWORD; index++)); do
    word=\${COMP_WORDS[index]} rest=\${line#"\${line%%[! \t]*}"}
    if ((index == COMP_CWORD)); then word=$rest; fi
    if ((cword >= 0)) && [[ $rest == "$line" && ( $word == [=:]* || \${words[cword]} == *[=:] ) ]]; then words[cword]+=$word
    else words[++cword]=$word; fi
    line=\${rest#"$word"}
  done
  cur=\${words[cword]} prev=
  if ((cword > 0)); then prev=\${words[cword-1]}; fi
}`;

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

/** kexec-tools' verbs are flags. */
function kexecCases(): string {
  return Object.entries(KEXEC_VERBS).map(([flag, verb]) =>
    `        ${flag}) path="kexec ${verb}" first=2; break ;;`
  ).join("\n");
}

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
