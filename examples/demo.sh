#!/usr/bin/env bash
# The main job: a whole live update on the model of the kernel, with real data. Each line after a $ can be typed by
# hand, in this order, in the directory of the checkout. `deno task demo` runs this script.
source "$(dirname "$0")/private.sh"

bold='' dim='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
  bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'
fi

say() { printf '\n%s# %s%s\n' "$dim" "$1" "$plain"; }

# Shows a command and runs it.
run() {
  printf '%s$ %s%s\n' "$bold" "$1" "$plain"
  eval "$1"
}

# Shows a command that this script has already done in its own way.
show() { printf '%s$ %s%s\n' "$bold" "$1" "$plain"; }

say "A private agent on the software model of the kernel: this machine stays as it is"
show 'DIR=$(mktemp -d); export LUO_BACKEND=model LUO_SOCKET="$DIR/agent.sock"'
show 'luo() { deno task --quiet luo "$@"; }'

say "The data: 64 MiB made now, a file of this checkout, and the memory of another running process"
run 'head -c 64M /dev/urandom >"$DIR/disk.img"'
run 'deno run --quiet --allow-ffi --allow-write="$DIR/" examples/memfd_holder.ts "state of a running program" "$DIR/holder" &'
run 'until read -r PID FD 2>/dev/null <"$DIR/holder"; do sleep 0.05; done; echo "process $PID, file descriptor $FD"'

say "The data goes into sessions, which the agent holds. The memfd of the process is preserved and not copied"
run 'luo session create vm1'
run 'luo file preserve vm1 --from "$DIR/disk.img" --token 1 --label disk --digest'
run 'luo file preserve vm1 --pid "$PID" --fd "$FD" --token 2 --label memory --digest'
run 'luo session create papers'
run 'luo file preserve papers --from LICENSE --token 0x10 --digest'
run 'luo status'

say "The kexec into the next kernel: every process of this kernel ends, only the preserved pages stay"
if [ "$IMAGE" = "$DIR/kernel" ]; then
  show 'IMAGE="$DIR/kernel"; deno run --quiet --allow-write="$DIR" examples/stand_in_kernel.ts "$IMAGE"'
else
  show "IMAGE=$IMAGE"
fi
run 'luo kexec load "$IMAGE"'
run 'luo kexec exec'

say "In the next kernel: everything is found again, and restored to the same bytes"
run 'luo session retrieve vm1'
run 'luo session retrieve papers'
run 'luo file restore vm1 1 --to "$DIR/disk.restored"'
run 'luo file restore papers 0x10 --to "$DIR/LICENSE.restored"'
run 'luo file restore vm1 2 --exec -- sh -c "cat <&3; echo"'
run 'sha256sum "$DIR/disk.img" "$DIR/disk.restored" LICENSE "$DIR/LICENSE.restored"'
run 'cmp "$DIR/disk.img" "$DIR/disk.restored" && cmp LICENSE "$DIR/LICENSE.restored" && echo identical'

say "The end: the memory is given back"
run 'luo session finish vm1'
run 'luo session finish papers'
run 'luo status'
run 'luo agent stop'
