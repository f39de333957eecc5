#!/bin/sh
# get-criu.sh DIRECTORY: CRIU of Debian forky, for hosts with an older one. DIRECTORY/criu runs it with its own libraries.
# CRIU 4.2 is the first that can dump TCP sockets on Linux 6.16 and later. The script needs no root, and the host's packages
# stay as they are. Exit status 77: no mirror gives CRIU.
set -eu
mkdir -p "$1"
directory=$(cd "$1" && pwd)
apt=$directory/apt
mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$directory/root"
: >"$apt/status"

ask() {
  apt-get -qq -o Acquire::Retries=3 -o Dir::Etc::SourceList="$apt/sources.list" -o Dir::Etc::SourceParts=- -o Dir::Cache="$apt" \
    -o Dir::State::Lists="$apt/lists" -o Dir::State::status="$apt/status" -o APT::Sandbox::User=root \
    -o APT::Update::Error-Mode=any "$@"
}

# The mirrors that apt has on this host. One that has no forky fails the update, and the next one is asked.
for mirror in $(apt-get --print-uris update | sed -n "s|^'\(.*\)/dists/.*|\1|p" | sort -u); do
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror forky main" >"$apt/sources.list"
  ask update 2>"$apt/errors" || continue
  # Nothing counts as installed here, so that all libraries come along.
  ask --no-install-recommends --download-only --yes install criu >/dev/null || break
  for package in "$apt/archives/"*.deb; do dpkg-deb -x "$package" "$directory/root"; done
  loader=$(echo "$directory"/root/usr/lib/*-linux-gnu/ld-linux-*)
  printf '#!/bin/sh\nexec %s --library-path %s %s "$@"\n' "$loader" "${loader%/*}" "$directory/root/usr/sbin/criu" \
    >"$directory/criu"
  chmod +x "$directory/criu"
  exec "$directory/criu" --version
done
cat "$apt/errors" >&2
echo "Cannot download CRIU of Debian forky from any mirror of apt's sources" >&2
exit 77
