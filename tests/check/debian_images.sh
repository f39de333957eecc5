#!/bin/sh
# debian_images.sh DIRECTORY: the kernels of Debian that the test asks about, each as DIRECTORY/vmlinuz-RELEASE with its
# configuration beside it. Packages come from the mirrors that apt has on this host; what is there already is not fetched again.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
cd "$1"

# unpack PACKAGE.deb...: takes the kernel and the configuration out.
unpack() {
  for package in "$@"; do
    rm -rf unpacked
    dpkg-deb --extract "$package" unpacked
    for file in unpacked/boot/vmlinuz-* unpacked/boot/config-*; do
      [ ! -f "$file" ] || mv "$file" .
    done
    for directory in unpacked/usr/lib/modules/*; do
      release=${directory##*/}
      [ ! -f "$directory/config" ] || mv "$directory/config" "config-$release"
      for kernel in "$directory/vmlinuz" "$directory/vmlinuz.unsigned"; do
        [ ! -f "$kernel" ] || mv "$kernel" "vmlinuz-$release"
      done
    done
    rm -rf unpacked "$package"
  done
}

if [ ! -f vmlinuz-7.3.4+deb13-amd64 ] || [ ! -f vmlinuz-7.2.12+deb13-amd64 ]; then
  sh "$here/../vm/backports.sh" . linux-binary-unsigned-7.3.4+deb13-amd64 linux-base-7.3.4+deb13-amd64 \
    linux-binary-unsigned-7.2.12+deb13-amd64 linux-base-7.2.12+deb13-amd64
  unpack linux-b*.deb
fi
if ! ls vmlinuz-6.12* >/dev/null 2>&1; then
  newest=$(apt-cache search --names-only '^linux-image-6\.12\.[0-9]+\+.*-cloud-amd64-unsigned$' | cut -d' ' -f1 | sort -V | tail -1)
  if [ -n "$newest" ]; then
    apt-get -qq -o APT::Sandbox::User=root download "$newest"
    unpack linux-image-*.deb
  fi
fi
