# After systemctl kexec: the sessions of all services; the second kexec, by luo, which asks systemd for it.
. /usr/local/lib/steps.sh
set -e
systemctl start luo-agent.socket
sessions vm1:incoming:adopted late:incoming:adopted
systemd_shows 1 luo-agent.service:vm1:vm1 luo-agent.service:late:late svc.service:session:own-svc
restored vm1 1 "some bytes"
restored late 3 "late bytes"
plain
grep -q "inside session of svc, first" /run/svc.log || { cat /run/svc.log; fail "the session of svc"; }
systemctl start ls
grep -q "LUO session \"ls" /run/ls.log || { cat /run/ls.log; fail "the session of ls"; }
say "svc and ls have their sessions"
echo "second bytes" >/run/in
printf '%s\n' '{"argv":["session","create","vm2"]}' \
  '{"argv":["file","preserve","vm2","--from","/run/in","--token","1"]}' \
  '{"argv":["kexec","load","/drop/next","--reuse-cmdline"]}' | batch
luo kexec exec
