#!/bin/bash
# The story of this example on the model, as root. CRIU cannot dump a process that runs under luo emulate, so the processes
# are those of this host, in a PID namespace in which their numbers are free.

# Whoever started this script may have left files open in it. CRIU cannot dump those that are outside of the namespace.
for fd in /proc/self/fd/*; do
  fd=${fd##*/}
  case $fd in 0 | 1 | 2 | 255) ;; *) eval "exec $fd>&-" ;; esac
done

source "$(dirname "$0")/../private.sh"
export -f luo
export LUO_KERNEL="$IMAGE" LUO_INITRD= LUO_CMDLINE="kho=on liveupdate=on" PROCESS_DIR="$DIR"
unshare --pid --fork --mount-proc examples/any-process/story.sh
