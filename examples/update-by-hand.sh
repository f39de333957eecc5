#!/bin/sh
# A live update with the participants of a directory, step by step.
#
#     update-by-hand.sh run DIRECTORY KERNEL INITRD WORDS    in the old kernel: ends in the next one, or cancels everything
#     update-by-hand.sh return DIRECTORY                     in the next kernel
set -eu
directory=$2

# The requests of luo batch for a session of each participant.
each() {
  for name in $names; do printf '{"argv":["session","%s","%s"%s]}\n' "$1" "$name" "${2:-}"; done
}

# One event of one participant. What it prints is its answer, which it gets at its next event.
event() {
  answer=$(cat "$directory/.$1.answer" 2>/dev/null) || answer=
  said=$(LUO_SESSION=$1 LUO_EVENT=$2 LUO_ANSWER=$answer "$directory/$1" "$2" </dev/null) || return 1
  [ -z "$said" ] || echo "$said" >"$directory/.$1.answer"
}

cancel() {
  for name in $told; do event "$name" cancel; done
  each close ',"--force"' | luo batch >&2
  luo kexec unload
  echo "Cancelled: $1 vetoed $2" >&2
  exit 1
}

names=$(cd "$directory" && ls) told=
case $1 in
run)
  {
    each create
    printf '{"argv":["kexec","load","%s"%s,"--command-line","%s"]}\n' "$3" "${4:+,\"--initrd\",\"$4\"}" "$5"
  } | luo batch --fail-fast >&2
  for event in prepare freeze; do
    for name in $names; do
      [ $event = freeze ] || told="$name $told"
      event "$name" $event || cancel "$name" $event
    done
  done
  # The answers travel in a session like everything else.
  tar -C "$directory" -c . | luo file preserve "${names%%[!a-z0-9-]*}" --stdin --token 1000000
  luo kexec exec
  ;;
return)
  each retrieve | luo batch --fail-fast >&2
  luo file restore "${names%%[!a-z0-9-]*}" 1000000 --stdout | tar -C "$directory" -x
  for name in $names; do event "$name" updated; done
  for name in $names; do event "$name" finish; done
  each finish | luo batch --fail-fast >&2
  ;;
esac
