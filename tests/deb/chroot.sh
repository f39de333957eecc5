#!/bin/bash
# Runs a script in a system that is a copy of this one: nothing of this host is changed. Needs root and overlayfs.
#   chroot.sh DIRECTORY SCRIPT
# DIRECTORY is an empty directory on a disk for the changes; /debs in the system is its parent. All processes end with the script.
# SYSTEM is the directory of another system to copy, in place of this one.
set -eu
directory=$1 script=$2
if [ "${inside:-}" = "" ]; then
  inside=1 exec unshare --mount --pid --fork --kill-child "$0" "$directory" "$script"
fi
mkdir -p "$directory/upper" "$directory/work" "$directory/root"
mount -t overlay overlay -o "lowerdir=${SYSTEM:-/},upperdir=$directory/upper,workdir=$directory/work" "$directory/root"
root=$directory/root
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
mount --rbind /dev "$root/dev"
mkdir -p "$root/debs"
mount --bind "$(dirname "$directory")" "$root/debs"
exec chroot "$root" /bin/bash -c "$script"
