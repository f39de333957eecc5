#!/bin/sh
# A live update of this host, as root, on Linux with LUO. Three files go through it: a file from disk, a pipe, and the
# memory of a running program. The first command ends in the next kernel; WORDS are added to the command line of that
# kernel. The second command restores, verifies and finishes everything there.
#
#     examples/real-update.sh before KERNEL INITRD FILE [WORDS]
#     examples/real-update.sh after DIRECTORY
set -eu
cd "$(dirname "$0")/.."
export LUO_BACKEND=linux

usage() {
  echo "Usage: $0 before KERNEL INITRD FILE [WORDS] | after DIRECTORY" >&2
  exit 2
}

# LUO: the command that starts luo, for hosts where luo is installed.
luo() { ${LUO:-deno task --quiet luo} "$@"; }

before() {
  luo agent start
  luo session create example
  luo file preserve example --from "$3" --token 1 --label disk --digest
  sha256sum <"$3" | luo file preserve example --stdin --token 2 --label pipe --digest

  holder=/run/luo-example.$$
  deno run --quiet --allow-ffi --allow-write="$holder" examples/memfd_holder.ts "state of a program" "$holder" &
  until read -r pid fd 2>/dev/null <"$holder"; do sleep 0.1; done
  luo file preserve example --pid "$pid" --fd "$fd" --token 3 --label memory --digest

  luo status
  luo kexec load "$1" --initrd "$2" --reuse-cmdline --append "${4:-}"
  luo kexec exec
}

after() {
  mkdir -p "$1"
  luo agent start
  luo status
  luo session retrieve example
  luo file restore example 1 --to "$1/disk"
  luo file restore example 2 --to "$1/pipe"
  luo file restore example 3 --to "$1/memory"
  luo session finish example

  # The pipe carried the digest of the file, made before the kexec.
  sha256sum <"$1/disk" | cmp - "$1/pipe"
  echo "$(cat "$1/memory"), from before the kexec"
}

case "${1:-} $#" in
"before 4" | "before 5") shift && before "$@" ;;
"after 2") after "$2" ;;
*) usage ;;
esac
