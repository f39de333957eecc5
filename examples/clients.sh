#!/usr/bin/env bash
# Services in Python, Node, C and Go hand their memory over a kexec of the model. They use no part of luo: they speak
# Varlink to the agent, which is there again in the next kernel without any command. A language whose compiler or
# interpreter is missing is named and left out.
source "$(dirname "$0")/private.sh"

clients=examples/clients
languages=()
have() {
  if command -v "$1" >/dev/null 2>&1; then return 0; fi
  echo "NOT RUN: the client in $2, because there is no $1"
  return 1
}

# client LANGUAGE VERB
client() {
  case $1 in
  python) python3 $clients/client.py "$LUO_SOCKET" "$2" ;;
  node) node $clients/client.mjs "$LUO_SOCKET" "$2" ;;
  *) "$DIR/client-$1" "$LUO_SOCKET" "$2" ;;
  esac
}

if have python3 Python; then languages+=(python); fi
if have node Node; then languages+=(node); fi
if have gcc C; then
  gcc -O1 -Wall -Wextra -Werror -o "$DIR/client-c" $clients/client.c
  languages+=(c)
fi
if have go Go; then
  GOCACHE="$DIR/go" go build -o "$DIR/client-go" $clients/client.go
  languages+=(go)
fi

luo agent start
for language in "${languages[@]}"; do client "$language" save; done
luo session list
luo kexec load "$IMAGE"
# Python executes the kernel too, so that no command of luo meets the agent of the next kernel first.
if command -v python3 >/dev/null 2>&1; then client python kexec; else luo kexec exec; fi
for language in "${languages[@]}"; do client "$language" restore; done
luo session list
echo "Clients that got their memory back: ${#languages[@]}"
