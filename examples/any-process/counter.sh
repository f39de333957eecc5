#!/bin/sh
# A shell that counts, ten times in a second. At the signal USR1 it writes the count to the file that is named.
count=0
trap 'echo "$count" >"$1"' USR1
while :; do
  count=$((count + 1))
  sleep 0.1
done
