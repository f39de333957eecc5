#!/bin/bash
# In the system of tests/deb/chroot.sh: installs luo and initramfs-tools, and makes an initramfs with luo, one without, and a root
# file system for the virtual machine. Everything goes to /debs.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
readonly RELEASE=7.3.4-luo

dpkg -i /debs/luo_*.deb >/dev/null
# The cache of a mirror can be old.
apt=(apt-get -qq -o Acquire::Check-Valid-Until=false -o Acquire::Retries=3 -o Acquire::Languages=none)
packages=(initramfs-tools busybox-static zstd)
{ "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends --download-only "${packages[@]}" >/dev/null; } ||
  { echo "Cannot download ${packages[*]}" && exit 77; }
"${apt[@]}" install -y --no-install-recommends --no-download "${packages[@]}" >/dev/null
# The kernel has everything built in, and no package of its own.
mkdir -p "/lib/modules/$RELEASE"
touch "/lib/modules/$RELEASE/modules.order" "/lib/modules/$RELEASE/modules.builtin" "/lib/modules/$RELEASE/modules.builtin.modinfo"
printf 'CONFIG_RD_GZIP=y\nCONFIG_RD_ZSTD=y\n' >"/boot/config-$RELEASE"
depmod "$RELEASE"
sed -i 's/^MODULES=.*/MODULES=list/; s/^COMPRESS=.*/COMPRESS=zstd/' /etc/initramfs-tools/initramfs.conf

mkinitramfs -o /debs/initrd.without "$RELEASE"
! lsinitramfs /debs/initrd.without | grep -q usr/bin/luo || { echo "luo is in an initramfs that did not ask for it"; exit 1; }
sed -i 's/^#LUO_INITRAMFS/LUO_INITRAMFS/' /etc/luo/luo.conf
install -m 755 /debs/restore.sh /etc/initramfs-tools/scripts/local-top/restore
mkinitramfs -o /debs/initrd "$RELEASE"

root=/debs/root
mkdir -p $root/{bin,sbin,boot,proc,sys,dev,run,tmp,etc}
cp /usr/bin/busybox $root/bin/busybox
for name in sh cat cmp sleep mount reboot sync grep sed cut free umount ls ps mkdir rmdir; do ln -s busybox $root/bin/$name; done
cp /debs/init.sh $root/sbin/init
chmod +x $root/sbin/init
cp --parents /usr/bin/luo /usr/lib/luo/initramfs-agent $root
ldd /usr/bin/luo | grep -o '/lib[^ ]*' | xargs cp -L --parents -t $root
cp /debs/kernel /debs/initrd $root/boot
mke2fs -q -t ext4 -O ^has_journal -E root_owner=0:0 -d $root /debs/root.ext4 240M
