#!/usr/bin/env bash
# Small values that survive every kexec: a script counts the kernels that it has run under, and keeps some bytes. It runs on the
# model, in a private directory. On a host with LUO, type the same commands as root with LUO_BACKEND=linux.
source "$(dirname "$0")/private.sh"

luo() { deno task --quiet luo "$@"; }

head -c 1000 /dev/urandom >"$DIR/bytes"
luo put example/bytes <"$DIR/bytes"

for kernel in 1 2 3; do
  # The first time there is no value: --default says what it is then.
  count=$(luo get example/kernels --default 0)
  luo put example/kernels $((count + 1))
  [ "$kernel" = 3 ] && break
  luo kexec load "$IMAGE"
  luo kexec exec >/dev/null
done

echo "keys: $(luo keys example/ | tr '\n' ' ')"
echo "kernels: $(luo get example/kernels)"
[ "$(luo get example/kernels)" = 3 ]
luo get example/bytes | cmp - "$DIR/bytes"

luo drop example/bytes
code=0
luo get example/bytes 2>/dev/null || code=$?
[ "$code" = 7 ]
