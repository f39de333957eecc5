#!/bin/sh
# backports.sh DIRECTORY PACKAGE...: downloads packages of Debian's trixie-backports into DIRECTORY, whatever release this
# host runs. It asks the mirrors that apt has on this host, with lists and a cache of its own below DIRECTORY/apt: neither
# root is needed, nor do the host's lists of packages change.
set -eu

mkdir -p "$1"
directory=$(cd "$1" && pwd)
shift
apt=$directory/apt
mkdir -p "$apt/lists/partial" "$apt/archives/partial"

ask() {
  apt-get -qq -o Acquire::Retries=3 -o Dir::Etc::SourceList="$apt/sources.list" -o Dir::Etc::SourceParts=- -o Dir::State::Lists="$apt/lists" \
    -o Dir::Cache="$apt" -o APT::Sandbox::User=root -o APT::Update::Error-Mode=any "$@"
}

# Works also where apt has no lists yet. A mirror that has no trixie-backports fails the update, and the next one is asked.
mirrors=$(apt-get --print-uris update | sed -n "s|^'\(.*\)/dists/.*|\1|p" | sort -u)
for mirror in $mirrors; do
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie-backports main" >"$apt/sources.list"
  if ask update 2>"$apt/errors"; then
    cd "$directory"
    ask download "$@"
    exit
  fi
done
echo "Cannot find trixie-backports at any mirror of apt's sources:" $mirrors >&2
[ ! -f "$apt/errors" ] || cat "$apt/errors" >&2
exit 1
