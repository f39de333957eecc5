# In the virtual machine: the programs of tests/emulate/programs under `luo emulate`. tests/vm/emulate_main.ts starts it.
# /share/boot/list has a line for each: NAME and the options of luo. /share/boot/NAME is the program, /share/boot/NAME.linux
# what it prints on Linux.
luo=/share/checkout/dist/luo
[ "$(uname -m)" != aarch64 ] || luo=$luo-aarch64
mkdir /tmp/programs
while read -r name options; do
  cp "/share/boot/$name" /tmp/programs/
  chmod 755 "/tmp/programs/$name"
  # shellcheck disable=SC2016,SC2086 # The kernel is the machine's. The options are words.
  $luo emulate $options -- sh -c 'exec "$0" "$LUO_KERNEL"' "/tmp/programs/$name" >/tmp/said 2>/tmp/errors
  code=$?
  failed=
  cmp -s /tmp/said "/share/boot/$name.linux" || failed=$(diff "/share/boot/$name.linux" /tmp/said)
  [ ! -s /tmp/errors ] || failed="$failed $(cat /tmp/errors)"
  echo "exit $code ($name)${failed:+: $failed}"
  cp /tmp/said "/results/$name.$code.txt"
done </share/boot/list
