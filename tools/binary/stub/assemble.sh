#!/bin/sh
# Writes the machine code of the two stubs in base64, as it stands in ../stub.ts. Debian: binutils, binutils-aarch64-linux-gnu.
set -eu
cd "$(dirname "$0")"
object=$(mktemp)
trap 'rm -f "$object" "$object.code"' EXIT
for target in x86_64 aarch64; do
  tools=$target-linux-gnu-
  "${tools}as" -o "$object" "$target.S"
  "${tools}objcopy" -O binary -j .text "$object" "$object.code"
  echo "$target $(base64 -w 0 "$object.code")"
done
