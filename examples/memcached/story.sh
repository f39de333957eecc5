#!/bin/sh
# The story of this example: memcached is filled, an update is refused and memcached serves on, an update takes place, and
# every key is there again.
#
#     luo emulate -- examples/memcached/story.sh                        on the model
#     luo rehearse --kernel IMAGE -- examples/memcached/story.sh        on a real kernel, in a virtual machine
#
# Both start this script again after the kexec, with LUO_BOOT=2.
set -eu
cd "$(dirname "$0")"
: "${LUO_BOOT:?is set by luo emulate and luo rehearse: see the README}"
export MC_DIR="${MC_DIR:-/run/luo-memcached}" MC_PORT="${MC_PORT:-11211}" LUO_BACKEND=linux
export LUO_SOCKET="$MC_DIR/luo/agent.sock"
participants=$MC_DIR/participants.d
keys=20000

say() { echo "kernel $LUO_BOOT: $*"; }

# What an operator installs once: the directory of memcached's files, and its participant, which luo calls without our
# environment.
install() {
  mkdir -p "$MC_DIR" && mkdir -p -m 700 "$participants" "$MC_DIR/luo"
  chown memcache "$MC_DIR" && chmod 700 "$MC_DIR"
  printf '#!/bin/sh\nMC_DIR=%s MC_PORT=%s exec %s/participants/memcached "$@"\n' "$MC_DIR" "$MC_PORT" "$PWD" \
    >"$participants/memcached"
  chmod +x "$participants/memcached"
}

update() { ../update-by-hand.sh run "$participants" "$LUO_KERNEL" "$LUO_INITRD" "$LUO_CMDLINE"; }

install
say "the agent starts"
luo agent start
case $LUO_BOOT in
1)
  ./serve
  until python3 keys.py fill $keys "$MC_PORT" 2>/dev/null; do sleep 0.2; done
  say "an update that another participant refuses when memcached is stopped"
  printf '#!/bin/sh\n[ "$1" != freeze ] || { echo "the backup is not done" >&2; exit 1; }\n' >"$participants/zbackup"
  chmod +x "$participants/zbackup"
  if update; then exit 1; fi
  rm "$participants/zbackup"
  python3 keys.py check $keys "$MC_PORT"
  say "an update that takes place"
  update
  ;;
2)
  ../update-by-hand.sh return "$participants"
  python3 keys.py check $keys "$MC_PORT"
  ;;
esac
