#!/usr/bin/env bash
# A live update by hand: 200 MiB of random bytes go through a kexec. It runs on the model, in a private directory.
# On a host with LUO, type the same commands as root with LUO_BACKEND=linux, those after the kexec in the next kernel.
source "$(dirname "$0")/private.sh"
set -x

deno task luo session create vm1
head -c 200M /dev/urandom | tee "$DIR/in" | deno task luo file preserve vm1 --stdin --token 7
deno task luo kexec load "$IMAGE"
deno task luo kexec exec
deno task luo session retrieve vm1
deno task luo file restore vm1 7 --to "$DIR/out"
deno task luo session finish vm1

{ set +x; } 2>/dev/null
before=$(sha256sum <"$DIR/in")
after=$(sha256sum <"$DIR/out")
echo "before $before"
echo "after  $after"
[ "$before" = "$after" ]
