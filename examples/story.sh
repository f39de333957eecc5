# The stories of the examples source this file: what an operator does on a host, with the variables that luo emulate and luo
# rehearse set. LUO_SOCKET and LUO_PARTICIPANTS are the agent's.

say() { echo "kernel $LUO_BOOT: $*"; }

# On a host, a service of systemd runs the agent.
start_agent() {
  say "the agent starts"
  rm -f "$LUO_SOCKET"
  luo agent run >"$LUO_SOCKET.log" 2>&1 &
  agent=$!
  until [ -S "$LUO_SOCKET" ]; do agent_runs; done
}

# Ends the story with the agent's log if the agent has ended; otherwise waits a moment.
agent_runs() {
  kill -0 $agent || { cat "$LUO_SOCKET.log" >&2 && exit 1; }
  sleep 0.2
}

# An emulated computer needs more time than a real one.
update() {
  luo update run "$LUO_KERNEL" ${LUO_INITRD:+--initrd "$LUO_INITRD"} --command-line "$LUO_CMDLINE" --blackout 240
}

# install_participant FILE NAME: luo calls FILE as the participant NAME. The deadlines are for an emulated computer too.
install_participant() {
  ln -sf "$1" "$LUO_PARTICIPANTS/$2"
  echo '{"seconds":{"freeze":120,"cancel":120}}' >"$LUO_PARTICIPANTS/$2.json"
}

# An update that a second participant refuses, when all others have done their part for the kexec.
refused_update() {
  cp ../veto "$LUO_PARTICIPANTS/backup"
  echo "{\"after\":$1}" >"$LUO_PARTICIPANTS/backup.json"
  if update; then return 1; fi
  rm "$LUO_PARTICIPANTS/backup"
}

# In the next kernel the agent calls the participants by itself.
wait_for_participants() {
  until [ "$(cat "$LUO_SOCKET.update" 2>/dev/null)" = normal ]; do
    if grep "The update waits for" "$LUO_SOCKET.log" >&2; then exit 1; fi
    agent_runs
  done
}
