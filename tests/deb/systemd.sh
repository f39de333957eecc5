#!/bin/bash
# `deno task test:deb:systemd`: the life of the package under systemd, on the real kernel in a virtual machine: installed, upgraded,
# removed and purged, with sessions in systemd's fd store and with an agent that was started by hand. The machine is that of
# tests/systemd. Needs root, and the package: deno task package --quick.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
machine=$here/../systemd/machine.sh
kernel=${LUO_TEST_KERNELS:-$here/../../../shared/kernel}/bzImage-7.3.4-luo
deb=$(echo "$here"/../../dist/luo_*_amd64.deb)
for file in "$kernel" "$deb"; do [ -e "$file" ] || { echo "Cannot find $file"; exit 1; }; done

work=$(mktemp -d /var/tmp/luo-deb-systemd.XXXXXX)
trap 'rm -rf "$work"' EXIT
# Two versions, compressed so that they fit into the machine and are unpacked in seconds.
mkdir -p "$work/drop/debs" "$work/drop/usr/local/lib"
dpkg-deb -R "$deb" "$work/tree"
for version in 0.1.0-1 0.1.0-2; do
  sed -i "s/^Version: .*/Version: $version/" "$work/tree/DEBIAN/control"
  dpkg-deb --root-owner-group -Zgzip -z1 -b "$work/tree" "$work/drop/debs/luo_${version}_amd64.deb" >/dev/null
done
rm -r "$work/tree"
cp "$here/../systemd/drop/usr/local/lib/steps.sh" "$work/drop/usr/local/lib"
bash "$machine" -t "${1:-900}" -k "$kernel" - "$work/drop" "$here/systemd_life.sh"
