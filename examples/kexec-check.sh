#!/usr/bin/env bash
# Loads the first kernel that takes over what this one hands over, of those given, newest first:
#
#     examples/kexec-check.sh IMAGE...
#
# luo is the command `luo`, or what LUO says.
set -uo pipefail
read -ra luo <<<"${LUO:-luo}"

for image in "$@"; do
  check=$("${luo[@]}" kexec check "$image" --json)
  case $? in
    0)
      echo "$image fits"
      exec "${luo[@]}" kexec load "$image"
      ;;
    4) echo "$image does not fit: $(grep -o '"verdict":"does_not_fit","reason":"[^"]*' <<<"$check" | cut -d'"' -f8 | head -1)" ;;
    1) echo "$image: cannot tell" ;;
    *) exit 1 ;;
  esac
done
echo "No kernel fits: nothing is loaded"
exit 4
