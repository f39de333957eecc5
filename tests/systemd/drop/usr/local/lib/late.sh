#!/bin/sh
# Preserves one file in a session of its own, with one start of luo.
echo "late bytes" >/run/late
printf '%s\n' '{"argv":["session","create","late","--timeout","120"]}' \
  '{"argv":["file","preserve","late","--from","/run/late","--token","3","--timeout","120"]}' | luo batch
