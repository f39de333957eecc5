#!/bin/bash
# machine.sh ARGUMENTS...: the machine with Debian's systemd, one at a time for each cache. The script that runs it lies beside the
# checkout, is not part of luo, and explains the arguments. The first run makes the machine's root file system, with packages of a
# mirror. Exit status 77: the machine cannot run here, and the last line says why.
set -uo pipefail
machine=$(cd "$(dirname "$0")/../../.." && pwd)/shared/systemd/run.sh
export HARNESS_SUITE=${HARNESS_SUITE:-forky}
export HARNESS_CACHE=${HARNESS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/luo-systemd}

cannot() {
  echo "The machine with systemd cannot run here: $1"
  exit 77
}

[ -e "$machine" ] || cannot "there is no $machine"
[ "$(id -u)" = 0 ] || cannot "only root can make its root file system"
for program in qemu-system-x86_64 mke2fs gcc flock; do
  command -v "$program" >/dev/null || cannot "there is no $program"
done

mkdir -p "$HARNESS_CACHE"
flock "$HARNESS_CACHE.lock" bash "$machine" "$@" && exit
status=$?
if [ ! -e "$HARNESS_CACHE/root-$HARNESS_SUITE.ok" ]; then
  tail -n 20 "$HARNESS_CACHE/debootstrap.log"
  cannot "its root file system could not be made"
fi
exit $status
