#!/bin/bash
# In the system of tests/deb/chroot.sh, a Debian with systemd 262: makes an initramfs with dracut, with luo and a hook of the test.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin

# The cache of a mirror can be old.
apt=(apt-get -qq -o Acquire::Check-Valid-Until=false -o Acquire::Retries=3 -o Acquire::Languages=none)
{ "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends --download-only dracut-core zstd >/dev/null; } ||
  { echo "Cannot download dracut" && exit 77; }
"${apt[@]}" install -y --no-install-recommends --no-download dracut-core zstd >/dev/null
dpkg -i /debs/luo_*.deb >/dev/null
sed -i 's/^#LUO_INITRAMFS/LUO_INITRAMFS/' /etc/luo/luo.conf
mkdir /usr/lib/dracut/modules.d/99restore
cp /debs/{restore,machine}.sh /usr/lib/dracut/modules.d/99restore
cat >/usr/lib/dracut/modules.d/99restore/module-setup.sh <<'END'
check() { return 0; }
install() {
    inst_multiple cp mount
    inst_hook pre-mount 20 "$moddir/restore.sh"
    inst_hook pre-pivot 50 "$moddir/machine.sh"
}
END
dracut --force --quiet --no-kernel --no-hostonly --compress "zstd -3" --add restore /debs/initrd 7.3.4-luo
lsinitrd /debs/initrd | grep -E 'luo|restore'
