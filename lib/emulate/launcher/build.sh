#!/bin/sh
# Compiles launcher.c for both architectures into x86_64.ts and aarch64.ts. Debian: gcc, gcc-aarch64-linux-gnu, linux-libc-dev.
set -eu
cd "$(dirname "$0")"
program=$(mktemp)
trap 'rm -f "$program"' EXIT
for target in x86_64 aarch64; do
  "$target-linux-gnu-gcc" -Os -static -nostdlib -ffreestanding -fno-tree-loop-distribute-patterns -fno-stack-protector -fno-asynchronous-unwind-tables \
    -fno-pie -no-pie -Wall -Wextra -Wl,-z,noseparate-code,-z,norelro,--build-id=none,-N,--no-warn-rwx-segments -s \
    -o "$program" ./*.c
  {
    echo "/** The launcher for $target, a whole ELF file in base64; made by build.sh. */"
    echo 'export const MACHINE_CODE ='
    base64 -w 116 "$program" | sed 's/.*/  "&" +/; $s/ +$/;/'
  } >"$target.ts"
done
