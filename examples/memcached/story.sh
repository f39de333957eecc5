#!/bin/sh
# The story of this example: memcached is filled, an update is refused and memcached serves on, an update takes place,
# and every key is there again.
#
#     luo emulate -- examples/memcached/story.sh                        on the model
#     luo rehearse --kernel IMAGE -- examples/memcached/story.sh        on a real kernel, in a virtual machine
#
# Both start this script again after the kexec, with LUO_BOOT=2.
set -eu
cd "$(dirname "$0")"
: "${LUO_BOOT:?is set by luo emulate and luo rehearse: see the README}"
export MC_DIR="${MC_DIR:-/run/luo-memcached}" MC_PORT="${MC_PORT:-11211}" LUO_BACKEND=linux
export LUO_SOCKET="$MC_DIR/luo/agent.sock" LUO_PARTICIPANTS="$MC_DIR/luo/participants.d"
keys=20000

say() { echo "kernel $LUO_BOOT: $*"; }

# What an operator installs once: the directory of memcached's files, and its participant. An emulated computer needs long
# deadlines.
install() {
  mkdir -p "$MC_DIR" && mkdir -p -m 700 "$MC_DIR/luo" "$LUO_PARTICIPANTS"
  chown memcache "$MC_DIR" && chmod 700 "$MC_DIR"
  ln -sf "$PWD/participants/memcached" "$LUO_PARTICIPANTS/memcached"
  echo '{"seconds":{"freeze":120,"cancel":120}}' >"$LUO_PARTICIPANTS/memcached.json"
}

# On a host, a service of systemd runs the agent.
start_agent() {
  rm -f "$LUO_SOCKET"
  luo agent run >"$LUO_SOCKET.log" 2>&1 &
  until [ -S "$LUO_SOCKET" ]; do sleep 0.1; done
}

update() { luo update run "$LUO_KERNEL" --initrd "$LUO_INITRD" --command-line "$LUO_CMDLINE" --blackout 240; }

check() {
  found=$(./keys.py check $keys "$MC_PORT")
  say "$found"
}

install
say "the agent starts"
start_agent
case $LUO_BOOT in
1)
  ./serve
  say "$(./keys.py fill $keys "$MC_PORT")"
  say "an update that a second participant refuses when memcached is stopped"
  cp ../veto "$LUO_PARTICIPANTS/backup"
  echo '{"after":["memcached"]}' >"$LUO_PARTICIPANTS/backup.json"
  if update; then exit 1; fi
  rm "$LUO_PARTICIPANTS/backup"
  check
  say "an update that takes place"
  update
  ;;
2)
  # The agent calls the participants by itself.
  until [ "$(cat "$LUO_SOCKET.update")" = normal ]; do sleep 0.1; done
  check
  ;;
esac
