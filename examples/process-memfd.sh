#!/usr/bin/env bash
# The memory of a program that knows nothing of luo: another process's memfd is preserved as it is, nothing copied, and
# handed to the program that goes on with it, as file descriptor 3.
source "$(dirname "$0")/private.sh"

# A process with its state in a memfd, descriptor 3. Its owner may take a duplicate of it (pidfd_getfd(2)).
deno run --quiet --allow-ffi --allow-write="$DIR/" examples/memfd_holder.ts "state of a running program" "$DIR/holder" &
until read -r pid fd 2>/dev/null <"$DIR/holder"; do sleep 0.05; done

luo session create program
luo file preserve program --pid "$pid" --fd "$fd" --token 1 --label state
luo file list program
luo kexec load "$IMAGE"
luo kexec exec

luo session retrieve program
state=$(luo file restore program 1 --exec -- sh -c 'cat <&3')
luo session finish program
echo "Restored: $state"
[ "$state" = "state of a running program" ]
