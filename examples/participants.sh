#!/usr/bin/env bash
# Participants in shell, Python, C and TypeScript take their state over a live update of the model. A language whose compiler
# or interpreter is missing is named and left out.
source "$(dirname "$0")/private.sh"

# The participants keep their state in the home directory. This one is private, but for the packages of Deno.
mkdir -p "$DIR/home/.cache" "$DIR/participants.d"
ln -s "${DENO_DIR:-$HOME/.cache/deno}" "$DIR/home/.cache/deno"
export HOME="$DIR/home" LUO_PARTICIPANTS="$DIR/participants.d"

have() {
  if command -v "$1" >/dev/null 2>&1; then return 0; fi
  echo "NOT RUN: the participant in $2, because there is no $1"
  return 1
}

# state FILE TEXT: writes a state, which must be there again in the next kernel.
declare -A states
state() {
  mkdir -p "$(dirname "$HOME/$1")"
  echo "$2" >"$HOME/$1"
  states[$1]=$2
}

state notes/today "a note"
install examples/participants/shell/notes "$LUO_PARTICIPANTS"
state journal.txt "a line of the journal"
install examples/participants/typescript/journal.ts "$LUO_PARTICIPANTS"
if have python3 Python; then
  state cache.json '{"key": "value"}'
  install examples/participants/python/cache "$LUO_PARTICIPANTS"
fi
if have gcc C; then
  state counter 4711
  gcc -O1 -Wall -Wextra -Werror -o "$LUO_PARTICIPANTS/counter" examples/participants/c/counter.c
fi

# Files in memory end with their kernel. On the model this participant removes them, after the freeze of all others.
cat >"$LUO_PARTICIPANTS/memory" <<END
#!/bin/sh
[ "\$1" != freeze ] || rm -r "$DIR/home/"*
END
chmod +x "$LUO_PARTICIPANTS/memory"
echo '{"after": ["notes", "journal", "cache", "counter"]}' >"$LUO_PARTICIPANTS/memory.json"

luo agent start
luo update run "$IMAGE" --command-line "kho=on liveupdate=on"
cat "$LUO_SOCKET.log"
for file in "${!states[@]}"; do
  [ "$(cat "$HOME/$file")" = "${states[$file]}" ]
  echo "Back in the next kernel: $file"
done
