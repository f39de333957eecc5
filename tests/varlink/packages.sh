#!/bin/sh
# packages.sh DIRECTORY: puts Debian's Varlink clients below DIRECTORY, whatever release this host runs: varlinkctl of
# systemd 262 or later with its own C library (as DIRECTORY/varlinkctl), and the packages of Python and Go. Nothing is
# installed: neither root is needed, nor do the host's packages or its lists of packages change. Exit status 77: no mirror
# gives them.
set -eu

mkdir -p "$1"
directory=$(cd "$1" && pwd)
apt=$directory/apt
mkdir -p "$apt/lists/partial" "$apt/archives/partial"

ask() {
  program=$1
  shift
  "$program" -qq -o Acquire::Retries=3 -o Dir::Etc::SourceList="$apt/sources.list" -o Dir::Etc::SourceParts=- -o Dir::State::Lists="$apt/lists" \
    -o Dir::State::Status=/dev/null -o Dir::Cache="$apt" -o APT::Sandbox::User=root -o APT::Update::Error-Mode=any "$@"
}

# The first suite of the first mirror that has a new enough systemd.
find_suite() {
  for mirror in $(apt-get --print-uris update | sed -n "s|^'\(.*\)/dists/.*|\1|p" | sort -u); do
    for suite in forky sid; do
      echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >"$apt/sources.list"
      ask apt-get update 2>"$apt/errors" || continue
      version=$(ask apt-cache show systemd | sed -n 's/^Version: \([0-9]*\).*/\1/p' | sort -n | tail -1)
      if [ "${version:-0}" -ge 262 ]; then return 0; fi
    done
  done
  [ ! -f "$apt/errors" ] || cat "$apt/errors" >&2
  echo "Cannot find systemd 262 in forky or sid at any mirror of apt's sources" >&2
  return 77
}

find_suite
cd "$directory"
ask apt-get download systemd libsystemd-shared libc6 libgcc-s1 python3-varlink python3-asyncvarlink \
  golang-github-varlink-go-dev || { echo "Cannot download Debian's Varlink clients" >&2 && exit 77; }
for package in *.deb; do dpkg-deb -x "$package" "$directory"; done

lib=$(dirname "$(find "$directory/usr/lib" -name 'ld-linux-*' -path '*-linux-gnu/*' | head -1)")
cat >varlinkctl <<END
#!/bin/sh
exec $lib/$(basename "$(find "$lib" -maxdepth 1 -name 'ld-linux-*')") --library-path "$lib:$lib/systemd" $directory/usr/bin/varlinkctl "\$@"
END
chmod +x varlinkctl
./varlinkctl --version
