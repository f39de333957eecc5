#!/bin/bash
# The story of this example: a shell that counts and a web server go on in the next kernel.
#
#     luo rehearse --kernel IMAGE -- examples/any-process/story.sh        a real kernel, in a virtual machine
#     examples/any-process/on-model.sh                                    the model
#
# luo rehearse starts this script again after the kexec, with LUO_BOOT=2. On the model the script goes on by itself.
set -euo pipefail
cd "$(dirname "$0")"
: "${LUO_BOOT:=1}" "${WEB_PORT:=8080}"
export PROCESS_DIR="${PROCESS_DIR:-/run/luo-processes}" LUO_BACKEND="${LUO_BACKEND:-linux}"
export LUO_SOCKET="$PROCESS_DIR/agent.sock" LUO_PARTICIPANTS="$PROCESS_DIR/participants.d"
. ../story.sh

# What an operator installs once: a participant for each process.
install() {
  mkdir -p -m 700 "$PROCESS_DIR" "$LUO_PARTICIPANTS"
  for name in shell web; do install_participant "$PWD/participants/process" $name; done
}

# start NAME NUMBER COMMAND...: starts a process in the background. Its own number must be free in the next kernel too, so it
# is the next free one after NUMBER.
start() {
  echo "$2" >/proc/sys/kernel/ns_last_pid
  setsid "${@:3}" </dev/null >/dev/null 2>&1 &
  echo $! >"$PROCESS_DIR/$1.pid"
}

# Asks the web server for its page: how often it was asked, and its process.
ask() {
  until exec 3<>"/dev/tcp/127.0.0.1/$WEB_PORT"; do sleep 0.1; done 2>/dev/null
  printf 'GET / HTTP/1.0\r\n\r\n' >&3
  say "web: $(tail -n 1 <&3)"
  exec 3>&-
}

# Asks the shell how far it has counted.
count() {
  local pid
  pid=$(<"$PROCESS_DIR/shell.pid")
  rm -f "$PROCESS_DIR/count"
  kill -USR1 "$pid"
  until [ -s "$PROCESS_DIR/count" ]; do sleep 0.05; done
  say "shell: count $(<"$PROCESS_DIR/count") at process $pid"
}

# A kexec of the model ends no process of this host. This participant does it, after the freeze of the others.
end_at_kexec() {
  cat >"$LUO_PARTICIPANTS/kexec" <<END
#!/bin/sh
[ "\$1" != freeze ] || kill -9 -$(<"$PROCESS_DIR/shell.pid") -$(<"$PROCESS_DIR/web.pid")
END
  chmod +x "$LUO_PARTICIPANTS/kexec"
  echo '{"after":["shell","web"]}' >"$LUO_PARTICIPANTS/kexec.json"
}

before() {
  start shell 20000 sh "$PWD/counter.sh" "$PROCESS_DIR/count"
  start web 20100 "$PWD/web.py" "$WEB_PORT"
  ask
  count
  say "an update that another participant refuses when the processes stand still"
  refused_update '["shell","web"]'
  ask
  count
  say "an update that takes place"
  if [ "$LUO_BACKEND" = model ]; then end_at_kexec; fi
  update
}

after() {
  wait_for_participants
  ask
  count
}

install
start_agent
if [ "$LUO_BOOT" = 1 ]; then before; fi
if [ "$LUO_BACKEND" = model ]; then LUO_BOOT=2; fi
after
