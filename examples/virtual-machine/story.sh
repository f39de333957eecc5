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

say() { echo "kernel $LUO_BOOT: $*"; }

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

# What an operator installs once: the disk of the machine, and its participant. An emulated computer needs long deadlines.
install() {
  mkdir -p -m 700 "$VM_DIR" "$LUO_PARTICIPANTS"
  as --32 guest.S -o "$VM_DIR/guest.o"
  ld -m elf_i386 --oformat binary -Ttext 0x7c00 "$VM_DIR/guest.o" -o "$VM_DIR/guest.img"
  ln -sf "$PWD/participants/vm" "$LUO_PARTICIPANTS/vm"
  echo '{"seconds":{"freeze":120,"cancel":120}}' >"$LUO_PARTICIPANTS/vm.json"
}

# On a host, a service of systemd runs the agent.
start_agent() {
  rm -f "$LUO_SOCKET"
  luo agent run >"$LUO_SOCKET.log" 2>&1 &
  until [ -S "$LUO_SOCKET" ]; do sleep 0.1; done
}

update() { luo update run "$LUO_KERNEL" --initrd "$LUO_INITRD" --command-line "$LUO_CMDLINE" --blackout 240; }

install
watch
say "the agent starts"
start_agent
case $LUO_BOOT in
1)
  ./machine
  rounds 10
  say "an update that a second participant refuses when the guest stands still"
  cp ../veto "$LUO_PARTICIPANTS/backup"
  echo '{"after":["vm"]}' >"$LUO_PARTICIPANTS/backup.json"
  if update; then exit 1; fi
  rm "$LUO_PARTICIPANTS/backup"
  rounds 10
  say "an update that takes place"
  update
  ;;
2)
  # The agent calls the participants by itself.
  until [ "$(cat "$LUO_SOCKET.update")" = normal ]; do sleep 0.1; done
  rounds 20
  say "the guest goes on"
  ;;
esac
