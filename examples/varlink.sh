#!/usr/bin/env bash
# Services that use other people's Varlink clients hand their memory over a kexec of the model: systemd's varlinkctl, and
# the packages varlink and asyncvarlink of Python and varlink of Go. Without an argument it takes those that are installed;
# with DIRECTORY those below that directory, where tests/varlink/packages.sh has put Debian's.
set -u
packages=${1:+$(cd "$1" && pwd)}
source "$(dirname "$0")/private.sh"

if [ -n "$packages" ]; then
  export PYTHONPATH=$packages/usr/lib/python3/dist-packages GOPATH=$packages/usr/share/gocode GO111MODULE=off
  export VARLINKCTL=$packages/varlinkctl
fi

clients=examples/varlink
names=()

# ready NAME COMMAND...: the command works, so that the client can run.
ready() {
  if "${@:2}" >/dev/null 2>&1; then names+=("$1"); else echo "NOT RUN: $1"; fi
}

# client NAME VERB
client() {
  case $1 in
  varlinkctl) $clients/varlinkctl.sh "$LUO_SOCKET" "$2" ;;
  python3-varlink) python3 $clients/python_varlink.py "$LUO_SOCKET" "$2" ;;
  python3-asyncvarlink) python3 $clients/python_asyncvarlink.py "$LUO_SOCKET" "$2" ;;
  varlink-go) "$DIR/varlink-go" "$LUO_SOCKET" "$2" ;;
  esac
}

can_push() { "${VARLINKCTL:-varlinkctl}" --help | grep -q -- --push-fd; }
ready varlinkctl can_push
ready python3-varlink python3 -c 'import varlink'
ready python3-asyncvarlink python3 -c 'import asyncvarlink'
ready varlink-go env GOCACHE="$DIR/go" go build -o "$DIR/varlink-go" $clients/client.go

luo agent start
for name in "${names[@]}"; do client "$name" save; done
luo session list
luo kexec load "$IMAGE"
luo kexec exec
for name in "${names[@]}"; do client "$name" restore; done
luo session list
echo "Varlink clients that got their memory back: ${#names[@]}"
