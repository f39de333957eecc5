#!/bin/sh
# In the virtual machine: a kept session and the values of luo put over two kexecs of the real kernel, and a killed agent.
#   deno run -A tests/vm/run.ts --timeout 300 -- sh tests/vm/keep.sh -- sh tests/vm/keep.sh -- sh tests/vm/keep.sh
set -e
# LUO: another command that starts luo. The single executable starts in half the time.
luo() { ${LUO:-deno run -A --quiet main.ts} "$@"; }

# One luo for many commands: a start takes seconds here. Prints the answers; fails when a command fails.
batch() { luo batch --fail-fast | tee /tmp/answers; }

# has WORDS: the answers of the batch say this.
has() { grep -Fq -- "$1" /tmp/answers || { echo "boot $LUO_BOOT: the answers lack $1"; exit 1; }; }

next='{"argv":["kexec","load","/share/boot/kernel","--initrd","/share/boot/initrd","--reuse-cmdline","--append","luo.boot='$((LUO_BOOT + 1))'"]}
{"argv":["kexec","exec"]}'

luo agent start --timeout 300
case $LUO_BOOT in
1)
  # The kernel, a file that is on the disk in every boot, is the state to be kept.
  batch <<EOF
{"argv":["session","create","cache","--keep"]}
{"argv":["file","preserve","cache","--from","/share/boot/kernel","--token","7","--seal"]}
{"argv":["put","boots","1"]}
{"argv":["put","word","first"]}
$next
EOF
  ;;
2)
  batch <<EOF
{"argv":["session","show","cache"]}
{"argv":["get","boots"]}
{"argv":["put","boots","2"]}
{"argv":["file","preserve","cache","--from","/proc/version","--token","8","--seal"]}
$next
EOF
  ;;
3)
  batch <<EOF
{"argv":["session","show","cache"]}
{"argv":["get","boots"]}
{"argv":["get","word"]}
{"argv":["file","restore","cache","7","--to","/tmp/kernel"]}
{"argv":["file","restore","cache","8","--to","/tmp/version"]}
{"argv":["status"]}
EOF
  has '"name":"cache","state":"outgoing"'
  has '"verdict":"same"'
  has '"text":"2"'
  has '"text":"first"'
  has '"losses":[]'
  cmp /tmp/kernel /share/boot/kernel
  cmp /tmp/version /proc/version
  kill -9 "$(sed -n 's/.*"agent":{"pid":\([0-9]*\).*/\1/p' /tmp/answers)"
  luo agent start --timeout 300
  batch <<EOF
{"argv":["get","boots"]}
{"argv":["status"]}
EOF
  has '"text":"2"'
  # What an agent holds ends with it, a kept session too, and that is told.
  has '"losses":[{"session":"cache"'
  echo "kept over two kexecs"
  exit 0
  ;;
esac
echo "The kexec did not happen in boot $LUO_BOOT"
cat /tmp/answers
exit 1
