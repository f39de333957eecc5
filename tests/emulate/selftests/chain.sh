#!/bin/sh
# `chain.sh DIRECTORY`, once a boot, the same on Linux and under `luo emulate`: the 15 cases of `liveupdate`, then the four
# two-stage programs. Each runs its second stage in the boot after the kexec of its first stage, so in each of the boots 2 to 5
# one program ends and the next begins. The output is TAP, and lines for main.ts that begin with `selftest:`.
directory=$1
boot=${LUO_BOOT:-1}

stage() {
  [ -n "$2" ] || return 0
  "$directory/$2" -s "$1"
  echo "selftest: $2 stage $1 ended with $?"
}

nth() { shift "$1" && echo "$1"; }
program() { nth "$1" luo_kexec_simple luo_multi_session luo_stress_sessions luo_stress_files ""; }

echo "selftest: boot $boot"
if [ "$boot" = 1 ]; then
  "$directory/liveupdate"
else
  stage 2 "$(program $((boot - 1)))"
fi
[ "$boot" -lt 5 ] || exit 0
stage 1 "$(program "$boot")"
sync
"$directory/next_boot"
