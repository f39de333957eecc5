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
. ../story.sh

# What an operator installs once: the directory of memcached's files, and its participant.
install() {
  mkdir -p "$MC_DIR" && mkdir -p -m 700 "$MC_DIR/luo" "$LUO_PARTICIPANTS"
  chown memcache "$MC_DIR" && chmod 700 "$MC_DIR"
  install_participant "$PWD/participants/memcached" memcached
}

check() {
  found=$(./keys.py check $keys "$MC_PORT")
  say "$found"
}

install
start_agent
case $LUO_BOOT in
1)
  ./serve
  say "$(./keys.py fill $keys "$MC_PORT")"
  say "an update that a second participant refuses when memcached is stopped"
  refused_update '["memcached"]'
  check
  say "an update that takes place"
  update
  ;;
2)
  wait_for_participants
  check
  ;;
esac
