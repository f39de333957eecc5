# In a virtual machine that has busybox, the C library and /bin/luo, and nothing else of ours: a whole live update to the
# kernel that /share/boot/next names.
# tests/vm/binary_main.ts starts it, once in each boot. Every command must succeed.
set -e
data=/share/boot/data

case $LUO_BOOT in
1)
  # luo has no other program to fall back on, and no directory for files, not even a home.
  for nothing in /share/checkout /share/deno /share/npm; do [ -z "$(ls $nothing 2>/dev/null)" ]; done
  [ -z "$(which deno node)" ]
  unset HOME DENO_DIR DENO_NO_UPDATE_CHECK
  mount -o remount,ro /
  # A memfd may not be executed either. luo's script is in a memfd and need not be executable.
  echo 2 >/proc/sys/vm/memfd_noexec
  luo --version --json >/results/version.json
  echo 0 >/proc/sys/vm/memfd_noexec
  # On a busy host an emulated CPU can need more than the minute that luo waits.
  luo agent start --timeout 300
  # One luo for several commands: a start takes seconds here.
  luo batch --fail-fast <<EOF
{"argv":["session","create","example"]}
{"argv":["file","preserve","example","--from","$data","--token","1","--digest"]}
EOF
  md5sum <$data | luo file preserve example --stdin --token 2
  luo batch --fail-fast <<EOF
{"argv":["kexec","load","$(cat /share/boot/next)","--initrd","/share/boot/initrd","--reuse-cmdline","--append","luo.boot=2"]}
{"argv":["kexec","exec"]}
EOF
  ;;
2)
  # On a busy host an emulated CPU can need more than the minute that luo waits.
  luo agent start --timeout 300
  luo status --json >/results/status.json
  luo batch --fail-fast <<EOF
{"argv":["session","retrieve","example"]}
{"argv":["file","restore","example","1","--to","/tmp/data"]}
EOF
  cmp /tmp/data $data
  md5sum <$data >/tmp/md5
  luo file restore example 2 --stdout | cmp - /tmp/md5
  luo session finish example
  luo agent stop
  ;;
esac
