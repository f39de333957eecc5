#!/bin/sh
# arm64.sh DIRECTORY: downloads what a virtual machine of arm64 needs on a host of another architecture and unpacks it into
# DIRECTORY: busybox-static, libc6 and libgcc-s1 of Debian for arm64, from the mirrors that apt has on this host. Lists and cache of
# apt are its own below DIRECTORY/apt: neither root is needed, nor do the host's lists of packages change. Exit status 77: no mirror
# gives them.
set -eu

mkdir -p "$1"
directory=$(cd "$1" && pwd)
# Several virtual machines may start at once: the first one downloads, and the others wait.
exec 9>"$directory/lock"
flock 9
[ ! -e "$directory/root" ] || exit 0
mkdir -p "$1/apt/lists/partial" "$1/apt/archives/partial"
apt=$directory/apt
ask() {
  apt-get -qq -o Acquire::Retries=3 -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o Dir::State::Lists="$apt/lists" -o Dir::Cache="$apt" \
    -o APT::Sandbox::User=root "$@"
}

# A source that has nothing for arm64 fails, and the others are enough.
ask update || true
cd "$apt/archives"
ask download busybox-static libc6 libgcc-s1 || { echo "Cannot download Debian's programs for arm64" && exit 77; }
for package in *.deb; do dpkg-deb -x "$package" "$directory/root.new"; done
mv "$directory/root.new" "$directory/root"
rm -rf "$apt"
