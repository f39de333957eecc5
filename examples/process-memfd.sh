#!/usr/bin/env bash
# The memory of a program that does not know luo: the memfd of another process is preserved and not copied. After the
# kexec, another program gets it as file descriptor 3 and goes on with it.
source "$(dirname "$0")/private.sh"

# A process with its state in a memfd. The owner of the process may take a copy of its descriptor (pidfd_getfd(2)).
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
