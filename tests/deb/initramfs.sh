#!/bin/bash
# `deno task test:initramfs`: an initramfs of initramfs-tools with luo in it, on the real kernel in a virtual machine, over a
# kexec. Needs root, a network for apt-get, QEMU, the images of tests/vm/README.md, and the package: deno task package --quick.
# Exit status 77: it cannot run here.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
kernel=${LUO_TEST_KERNELS:-$here/../../../shared/kernel}/bzImage-7.3.4-luo
deb=$(echo "$here"/../../dist/luo_*_amd64.deb)
for file in "$kernel" "$deb"; do [ -e "$file" ] || { echo "Cannot find $file"; exit 1; }; done
[ "$(id -u)" = 0 ] || { echo "Only root can install packages in a copy of this system"; exit 77; }

work=$(mktemp -d /var/tmp/luo-initramfs.XXXXXX)
trap 'rm -rf "$work"' EXIT
cp "$deb" "$here"/initramfs/{restore,init}.sh "$work"
cp "$kernel" "$work/kernel"
"$here/chroot.sh" "$work/system" "$(cat "$here/initramfs/make.sh")"
echo "initramfs: $(stat -c %s "$work/initrd") bytes with luo, $(stat -c %s "$work/initrd.without") without"

timeout -k 5 "${1:-900}" qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 2 -m 2G -no-reboot -nographic -nodefaults -serial stdio \
  -kernel "$work/kernel" -initrd "$work/initrd" -drive "file=$work/root.ext4,format=raw,if=virtio,snapshot=on" \
  -append "console=ttyS0 root=/dev/vda ro kho=on liveupdate=on panic=-1 quiet no_timer_check" </dev/null 2>&1 | stdbuf -o0 tr -d "\r" | tee "$work/console"
[ "$(grep -c 'TEST: the initramfs' "$work/console")" = 2 ] || { echo "not two boots"; exit 1; }
! grep -q 'TEST: FAILED' "$work/console"
grep -q '^TEST: ended with 0' "$work/console"
echo "passed"
