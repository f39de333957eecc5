#!/bin/sh
# The story of this example: a shell that counts and a web server go on in the next kernel.
#
#     luo rehearse --kernel IMAGE -- examples/any-process/story.sh                          a real kernel
#     LUO_BACKEND=model unshare --pid --fork --mount-proc examples/any-process/story.sh     the model
#
# CRIU cannot dump a process under luo emulate, so on the model this script runs as root on this host, in a PID namespace.
set -eu
cd "$(dirname "$0")"
: "${LUO_BOOT:=1}" "${LUO_BACKEND:=linux}" "${CRIU:=criu}" "${WEB_PORT:=8080}"
directory=${PROCESS_DIR:-/run/luo-processes}
participants=$directory/participants.d
export LUO_BACKEND LUO_SOCKET="$directory/luo/agent.sock"

say() { echo "kernel $LUO_BOOT: $*"; }

# What an operator installs once: a participant for each process, which luo calls without our environment.
install() {
  mkdir -p -m 700 "$directory" "$directory/luo" "$participants"
  for name in shell web; do
    cat >"$participants/$name" <<END
#!/bin/sh
# A kexec of the model ends no process of this host.
[ $LUO_BACKEND:\$1 != model:updated ] || kill -9 -\$(cat $directory/$name.pid)
PROCESS_PID=$directory/$name.pid CRIU=$CRIU exec $PWD/participants/process "\$@"
END
    chmod +x "$participants/$name"
  done
}

# Starts a process in the background, with a number that will be free in the next kernel too.
start() {
  echo "$2" >/proc/sys/kernel/ns_last_pid
  name=$1
  shift 2
  setsid "$@" </dev/null >/dev/null 2>&1 &
  echo $! >"$directory/$name.pid"
}

ask() {
  python3 -c "import urllib.request as web; print('kernel $LUO_BOOT: web:', web.urlopen('http://127.0.0.1:$WEB_PORT').read().decode().strip())"
}

count() {
  rm -f "$directory/count"
  kill -USR1 "$(cat "$directory/shell.pid")"
  until [ -s "$directory/count" ]; do sleep 0.05; done
  say "shell: count $(cat "$directory/count") at process $(cat "$directory/shell.pid")"
}

show() {
  until ask 2>/dev/null; do sleep 0.1; done
  ask
  count
}

before() {
  start shell 20000 sh "$PWD/counter.sh" "$directory/count"
  start web 20100 python3 "$PWD/web.py" "$WEB_PORT"
  show
  say "an update that another participant refuses when the processes are stopped"
  printf '#!/bin/sh\n[ "$1" != freeze ] || { echo "the backup is not done" >&2; exit 1; }\n' >"$participants/zbackup"
  chmod +x "$participants/zbackup"
  if update; then exit 1; fi
  rm "$participants/zbackup"
  show
  say "an update that takes place"
  update
}

update() { ../update-by-hand.sh run "$participants" "${LUO_KERNEL:-}" "${LUO_INITRD:-}" "${LUO_CMDLINE:-}"; }

after() {
  ../update-by-hand.sh return "$participants"
  show
}

install
say "the agent starts"
luo agent start
if [ "$LUO_BOOT" = 1 ]; then before; fi
# On the model we are still here after the kexec.
if [ "$LUO_BACKEND" = model ]; then LUO_BOOT=2; fi
after
