# The other examples source this file: luo on the model, with an agent of its own in a private directory $DIR. The agent
# and the directory are gone when the script ends, however it ends. IMAGE is a kernel to load: the newest of /boot that
# can be read, else a stand-in.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

DIR=$(mktemp -d "${TMPDIR:-/tmp}/luo-example.XXXXXX")
export LUO_BACKEND=model LUO_SOCKET="$DIR/agent.sock"

luo() { deno task --quiet luo "$@"; }

# All processes that were started here: the agent, the machine of the model and others have $DIR in their arguments.
processes() { grep -lsFf - /proc/[0-9]*/cmdline <<<"$DIR/" | cut -d/ -f3 || true; }

clean_up() {
  local gone=0 tries=0 signal=TERM pids
  trap '' INT TERM HUP
  # Look twice: a process that is just being started can be missed the first time.
  while [ "$gone" -lt 2 ]; do
    pids=$(processes)
    if [ -n "$pids" ]; then
      gone=0
      kill -s "$signal" $pids 2>/dev/null || true
    else
      gone=$((gone + 1))
    fi
    tries=$((tries + 1))
    if [ "$tries" -gt 40 ]; then signal=KILL; fi
    sleep 0.05
  done
  rm -rf "$DIR"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

IMAGE=
for file in /boot/vmlinuz-*; do
  if [ -r "$file" ]; then IMAGE=$file; fi
done
if [ -z "$IMAGE" ]; then
  IMAGE="$DIR/kernel"
  deno run --quiet --allow-write="$DIR" examples/stand_in_kernel.ts "$IMAGE"
fi
