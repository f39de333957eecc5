#!/usr/bin/env bash
# What luo says when something is wrong, and that no wrong turn loses data. Each one is held to its exit code (1 failed,
# 2 usage, 3 not available, 4 refused because data would be lost) and to its words.
source "$(dirname "$0")/private.sh"

turns=0

# wrong CODE WORDS COMMAND...: the command ends with this code and prints these words (a regular expression) on stderr.
wrong() {
  local code=$1 words=$2 got=0
  shift 2
  "$@" >"$DIR/stdout" 2>"$DIR/stderr" || got=$?
  printf '\n$ %s\n%s\n[exit %s]\n' "$*" "$(cat "$DIR/stderr")" "$got"
  if [ "$got" != "$code" ] || ! grep -Eq -- "$words" "$DIR/stderr"; then
    echo "FAILED: expected exit $code and \"$words\"" >&2
    exit 1
  fi
  turns=$((turns + 1))
}

# A disk file where a memfd is needed.
preserve_disk_file() { luo file preserve vm1 --fd 9 --token 9 9<>"$DIR/in"; }

# A disk that is full.
restore_to_full_disk() { luo file restore vm1 7 --stdout >/dev/full; }

head -c 3M /dev/urandom >"$DIR/in"
luo session create vm1
luo file preserve vm1 --from "$DIR/in" --token 7 --digest

echo "--- before the kexec"
wrong 1 'did you mean "vm1"' luo session show wm1
wrong 1 'EEXIST' luo session create vm1
wrong 1 'EEXIST' luo file preserve vm1 --from "$DIR/in" --token 7
wrong 2 'token' luo file preserve vm1 --from "$DIR/in" --token seven
wrong 1 'ENOENT' preserve_disk_file
wrong 1 'ENOENT' luo file preserve vm1 --from "$DIR/missing" --token 8
wrong 1 'ESRCH' luo file preserve vm1 --pid 2147483600 --fd 1 --token 8
wrong 1 'ENOEXEC' luo kexec load "$DIR/in"
wrong 1 'luo kexec load' luo kexec exec
wrong 1 'EINVAL' luo kexec exec --force
wrong 4 '--force' luo session close vm1
wrong 4 '--force' luo kexec load "$IMAGE" --command-line "quiet"
wrong 2 'did you mean' luo session craete vm2

luo kexec load "$IMAGE"
luo kexec exec

echo "--- after the kexec"
wrong 1 'luo session retrieve vm1' luo file restore vm1 7 --to "$DIR/out"
wrong 1 'sessions: "vm1"' luo session retrieve vm2
luo kexec load "$IMAGE"
wrong 4 '--force' luo kexec exec
luo session retrieve vm1
wrong 1 'vm1' luo session retrieve vm1
wrong 1 'file 8' luo file restore vm1 8 --to "$DIR/out"
wrong 1 'no directory' luo file restore vm1 7 --to "$DIR/no/such/out"
wrong 1 '--force' luo file restore vm1 7 --to "$DIR/in"
wrong 4 '--force' luo session finish vm1
wrong 1 'ENOSPC' restore_to_full_disk

luo file restore vm1 7 --to "$DIR/out"
cmp "$DIR/in" "$DIR/out"
luo session finish vm1

echo "--- without an agent"
luo session create vm2
luo file preserve vm2 --from "$DIR/in" --token 7
kill -9 "$(luo agent status --json | grep -o '"pid":[ ]*[0-9]*' | grep -o '[0-9]*$')"
luo status | tee "$DIR/status"
grep -q vm2 "$DIR/status"
LUO_BACKEND=linux LUO_SOCKET="$DIR/linux.sock" wrong 3 'luo agent start' luo session list

echo "$turns wrong turns, nothing lost but what the killed agent held"
