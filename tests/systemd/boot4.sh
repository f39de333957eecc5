# After luo kexec exec; the third kexec in a row, at the end of a whole update with a participant.
. /usr/local/lib/steps.sh
set -e
# The drop-ins of docs/security.md and docs/update.md.
cp -r /drop-ins/. /etc/systemd/system/luo-agent.service.d
echo "uid 1001 user-*" >/etc/luo/access.conf
systemctl daemon-reload
systemctl start luo-agent.socket
sessions vm2:incoming:adopted
restored vm2 1 "second bytes"
plain
setpriv --reuid 1001 --regid 1001 --clear-groups luo session create user-1 --socket $AGENT --timeout 300
refused setpriv --reuid 1001 --regid 1001 --clear-groups luo session create vm4 --socket $AGENT --timeout 300
systemctl reload luo-agent
echo "third bytes" >/run/in
printf '%s\n' '{"argv":["session","create","vm3"]}' \
  '{"argv":["file","preserve","vm3","--from","/run/in","--token","1"]}' \
  '{"argv":["kexec","load","/drop/next","--reuse-cmdline"]}' | batch
luo update run --timeout 600
