#!/bin/bash
# `deno task test:dracut`: an initramfs of dracut with systemd and luo in it, on the real kernel in a virtual machine, over a
# `systemctl kexec`. The machine is that of tests/systemd. Needs root, a network for apt-get (15 MB), and the package:
# deno task package --quick. Exit status 77: it cannot run here.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
machine=$here/../systemd/machine.sh
kernel=${LUO_TEST_KERNELS:-$here/../../../shared/kernel}/bzImage-7.3.4-luo
cache=${HARNESS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/luo-systemd}
deb=$(echo "$here"/../../dist/luo_*_amd64.deb)
for file in "$kernel" "$deb"; do [ -e "$file" ] || { echo "Cannot find $file"; exit 1; }; done
[ -e "$cache/root-forky.ok" ] || { echo "The machine has no system yet: deno task test:systemd makes it"; exit 77; }

work=$(mktemp -d /var/tmp/luo-dracut.XXXXXX)
trap 'rm -rf "$work"' EXIT
cp "$deb" "$here"/dracut/{restore,machine}.sh "$work"
SYSTEM=$cache/root-forky "$here/chroot.sh" "$work/system" "$(cat "$here/dracut/make.sh")"

drop=$work/drop
mkdir -p "$drop"/{boot,usr/local/lib,etc/systemd/system/{sockets,multi-user}.target.wants} "$work/bin"
dpkg-deb -x "$deb" "$drop"
rm -rf "$drop"/usr/share/{doc,man,lintian}
ln -s /usr/lib/systemd/system/luo-agent.socket "$drop/etc/systemd/system/sockets.target.wants"
ln -s /usr/lib/systemd/system/luo-agent.service "$drop/etc/systemd/system/multi-user.target.wants"
cp "$work/initrd" "$drop/boot"
cp "$here/../systemd/drop/usr/local/lib/steps.sh" "$drop/usr/local/lib"
# The machine boots without an initramfs, and with an init= of its own. With init= systemd would pass nothing on at the switch of
# the root, so the initramfs does what that program does (dracut/machine.sh).
cat >"$work/bin/qemu-system-x86_64" <<END
#!/bin/bash
exec $(command -v qemu-system-x86_64) -initrd $work/initrd "\${@/init=\/usr\/local\/bin\/harness-init /}"
END
chmod +x "$work/bin/qemu-system-x86_64"
PATH=$work/bin:$PATH bash "$machine" -t "${1:-600}" -k "$kernel" - "$drop" "$here/dracut/boot1.sh" "$here/dracut/boot2.sh" | tee "$work/console"
[ "$(grep -c '^TEST: the initramfs' "$work/console")" = 2 ] || { echo "not two boots"; exit 1; }
! grep -q 'TEST: FAILED' "$work/console"
grep -q '^TEST: restored before the root file system, and after it' "$work/console"
echo "passed"
