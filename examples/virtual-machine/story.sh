#!/bin/sh
# The story of this example: a live update that a participant refuses, then one that takes place.
#
#     luo emulate -- examples/virtual-machine/story.sh                        on the model
#     luo rehearse --kernel IMAGE -- examples/virtual-machine/story.sh        on a real kernel, in a virtual machine
#
# Both start this script again after the kexec, with LUO_BOOT=2.
set -eu
cd "$(dirname "$0")"
: "${LUO_BOOT:?is set by luo emulate and luo rehearse: see the README}"
export VM_DIR="${VM_DIR:-/run/luo-vm}" LUO_BACKEND=linux
export LUO_SOCKET="$VM_DIR/agent.sock" LUO_PARTICIPANTS="$VM_DIR/participants.d"
log=$VM_DIR/serial.log
. ../story.sh

# Shows what the guest prints from now on.
watch() {
  : >"$log"
  tail -n +1 -f "$log" | sed -u "s/^/kernel $LUO_BOOT, guest: /" &
}

# Waits until the guest has done so many more rounds.
rounds() {
  last=$(($(wc -l <"$log") + $1))
  while [ "$(wc -l <"$log")" -lt $last ]; do sleep 0.1; done
}

# What an operator installs once: the disk of the machine, and its participant.
install() {
  mkdir -p -m 700 "$VM_DIR" "$LUO_PARTICIPANTS"
  as --32 guest.S -o "$VM_DIR/guest.o"
  ld -m elf_i386 --oformat binary -Ttext 0x7c00 "$VM_DIR/guest.o" -o "$VM_DIR/guest.img"
  install_participant "$PWD/participants/vm" vm
}

install
watch
start_agent
case $LUO_BOOT in
1)
  ./machine
  rounds 10
  say "an update that a second participant refuses when the guest stands still"
  refused_update '["vm"]'
  rounds 10
  say "an update that takes place"
  update
  ;;
2)
  wait_for_participants
  rounds 20
  say "the guest goes on"
  ;;
esac
