#!/bin/sh
# Compiles launcher.c for both architectures into machine_code.ts. Debian: gcc, gcc-aarch64-linux-gnu, linux-libc-dev.
set -eu
cd "$(dirname "$0")"
program=$(mktemp)
trap 'rm -f "$program"' EXIT
{
  echo '/** The launcher, whole ELF files in base64; made by build.sh. */'
  echo 'export const MACHINE_CODE = {'
  for target in x86_64 aarch64; do
    "$target-linux-gnu-gcc" -Os -static -nostdlib -ffreestanding -fno-tree-loop-distribute-patterns -fno-stack-protector -fno-asynchronous-unwind-tables \
      -fno-pie -no-pie -Wall -Wextra -Wl,-z,noseparate-code,-z,norelro,--build-id=none,-N,--no-warn-rwx-segments -s \
      -o "$program" ./*.c
    echo "  $target:"
    base64 -w 116 "$program" | sed 's/.*/    "&" +/; $s/ +$/,/'
  done
  echo '} as const;'
} >machine_code.ts
