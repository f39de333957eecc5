# After luo kexec exec; the third kexec in a row, at the end of a whole update with a participant.
. /usr/local/lib/steps.sh
set -e
systemctl start luo-agent.socket
sessions vm2:incoming:adopted
restored vm2 1 "second bytes"
plain
echo "third bytes" >/run/in
printf '%s\n' '{"argv":["session","create","vm3"]}' \
  '{"argv":["file","preserve","vm3","--from","/run/in","--token","1"]}' \
  '{"argv":["kexec","load","/drop/next","--reuse-cmdline"]}' | batch
luo update run --blackout 300 --timeout 900
