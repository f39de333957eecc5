#!/bin/sh
# Prints the machine code of the stubs (or of the one that is named) in base64, as it stands in ../machine_code.ts.
# Debian: binutils, binutils-aarch64-linux-gnu.
set -eu
cd "$(dirname "$0")"
object=$(mktemp)
trap 'rm -f "$object" "$object.code"' EXIT
for target in ${1:-x86_64 aarch64}; do
  "$target-linux-gnu-as" -o "$object" "$target.S"
  "$target-linux-gnu-objcopy" -O binary -j .text "$object" "$object.code"
  echo "$target $(base64 -w 0 "$object.code")"
done
