#!/bin/sh
# dist/luo-aarch64 on another architecture. Debian: qemu-user libc6-arm64-cross libgcc-s1-arm64-cross. Tests on it (20 minutes):
#
#     export LUO_TEST_BINARY=$PWD/tests/binary/aarch64.sh LUO_EXE=$PWD/tests/binary/aarch64.sh
#     deno test -A tests/commands/live_update_test.ts
exec qemu-aarch64 -L /usr/aarch64-linux-gnu "$(dirname "$0")/../../dist/luo-aarch64" "$@"
