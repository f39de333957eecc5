#!/bin/sh
# Builds Linux 7.3 with LUO from Debian's linux-source-7.3 and puts it where the tests find it: .cache/kernel/.
# Takes the source from trixie-backports (backports.sh), or from LUO_KERNEL_SOURCE=linux-source-7.3.tar.xz, or =DIR of an
# unpacked tree. About 8 minutes on 2 cores, 3 GB of disk.
# `build_kernel.sh --configure` stops before the compiler starts.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=$(cd "$here/../.." && pwd)/.cache
out=$cache/kernel/bzImage-7.3.4-luo
series=7.3

fail() {
  echo "Cannot build the kernel: $1" >&2
  echo "  $2" >&2
  exit 1
}

if [ -f "$out" ] && [ "${1:-}" != --configure ]; then
  echo "$out is there already"
  exit 0
fi

for tool in make gcc flex bison bc xz; do
  command -v $tool >/dev/null || fail "\"$tool\" is not installed" \
    "on Debian: apt-get install --no-install-recommends build-essential flex bison bc libelf-dev libssl-dev xz-utils"
done
for header in libelf.h openssl/opensslv.h; do
  echo "#include <$header>" | gcc -E - >/dev/null 2>&1 || fail "<$header> is missing" \
    "on Debian: apt-get install --no-install-recommends libelf-dev libssl-dev"
done

mkdir -p "$cache/kernel" "$cache/build"
tree=$cache/build/linux-source-$series
source=${LUO_KERNEL_SOURCE:-}
if [ -d "$source" ]; then
  tree=$source
elif [ ! -f "$tree/Makefile" ]; then
  if [ -z "$source" ]; then
    # Only unpacked, not installed: no root needed.
    "$here/backports.sh" "$cache/build" "linux-source-$series" || fail "linux-source-$series cannot be downloaded" \
      "set LUO_KERNEL_SOURCE to its archive or tree"
    dpkg-deb -x "$cache/build"/linux-source-"$series"_*.deb "$cache/build/package"
    source=$cache/build/package/usr/src/linux-source-$series.tar.xz
  fi
  [ -f "$source" ] || fail "there is no \"$source\"" "set LUO_KERNEL_SOURCE to the archive of linux-source-$series"
  echo "Unpacking $source"
  tar -C "$cache/build" -xf "$source"
fi
[ -f "$tree/kernel/liveupdate/Kconfig" ] || fail "\"$tree\" has no kernel/liveupdate" "it takes Linux 7.2 or later"

objects=$cache/build/objects
mkdir -p "$objects"
make -s -C "$tree" O="$objects" tinyconfig
cat "$here/kernel.config" >>"$objects/.config"
# It warns of every line that replaces one of tinyconfig.
make -s -C "$tree" O="$objects" olddefconfig 2>/dev/null
# olddefconfig drops options that it does not know or cannot set, without a message.
for option in LIVEUPDATE KALLSYMS KEXEC_FILE KEXEC_HANDOVER RELOCATABLE MEMFD_CREATE TMPFS 9P_FS NET_9P_VIRTIO VIRTIO_PCI SERIAL_8250_CONSOLE UNIX; do
  grep -q "^CONFIG_$option=y" "$objects/.config" || fail "CONFIG_$option did not survive \"make olddefconfig\"" \
    "tests/vm/kernel.config lacks something it depends on"
done
[ "${1:-}" = --configure ] && exit 0

echo "Building (about 8 minutes on 2 cores)"
make -s -C "$tree" O="$objects" -j"$(nproc)" bzImage
cp "$objects/arch/x86/boot/bzImage" "$out.new"
mv "$out.new" "$out"
echo "$out"
