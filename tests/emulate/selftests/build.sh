#!/bin/sh
# Builds the kernel's own live update selftests (tools/testing/selftests/liveupdate of Debian's linux-source-7.3, with the
# headers of linux-libc-dev, both of trixie-backports) and prints the directory the static programs are in. Nothing is
# installed, the system's sources stay as they are, and all of it is outside the checkout: LUO_SELFTESTS, else
# ~/.cache/luo/selftests-7.3. It takes 170 MB of download and some 30 seconds, once. Exit status 77: no mirror gives them.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=${LUO_SELFTESTS:-${XDG_CACHE_HOME:-$HOME/.cache}/luo/selftests-7.3}
programs="liveupdate luo_kexec_simple luo_multi_session luo_stress_sessions luo_stress_files"

fail() {
  echo "Cannot build the selftests: $1" >&2
  echo "  $2" >&2
  exit 1
}

if [ ! -f "$cache/built" ]; then
  for tool in gcc apt-get dpkg-deb tar xz; do
    command -v $tool >/dev/null || fail "\"$tool\" is not installed" "on Debian: apt-get install gcc libc6-dev xz-utils"
  done
  # Its own directory: two at once do the work twice, and no harm.
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT

  if ! "$here/../../vm/backports.sh" "$work" linux-source-7.3 linux-libc-dev >&2; then
    echo "Cannot download linux-source-7.3 and linux-libc-dev of Debian's trixie-backports" >&2
    exit 77
  fi

  dpkg-deb -x "$work"/linux-libc-dev_*.deb "$work/headers"
  # The whole tree is 1.6 GB: only what is needed leaves the archive.
  dpkg-deb --fsys-tarfile "$work"/linux-source-7.3_*.deb | tar -xO ./usr/src/linux-source-7.3.tar.xz |
    tar -C "$work" -xJ --strip-components=3 --no-wildcards-match-slash --wildcards \
      'linux-source-7.3/tools/testing/selftests/*.h' 'linux-source-7.3/tools/testing/selftests/liveupdate'

  source=$work/selftests/liveupdate
  mkdir -p "$work/out"
  for program in $programs; do
    gcc -static -O2 -w -D_GNU_SOURCE -isystem "$work/headers/usr/include" \
      -isystem "$work/headers/usr/include/$(gcc -dumpmachine)" -I"$source/lib/include" \
      -o "$work/out/$program" "$source/$program.c" "$source"/lib/*.c ||
      fail "gcc refuses $program.c" "a static libc is needed: apt-get install libc6-dev"
  done
  mkdir -p "$cache"
  mv "$work"/out/* "$cache/"
  touch "$cache/built"
fi
gcc -static -O2 -Wall -o "$cache/next_boot" "$here/../native/next_boot.c" ||
  fail "gcc refuses next_boot.c" "a static libc is needed: apt-get install libc6-dev"
echo "$cache"
