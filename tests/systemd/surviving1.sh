# luo-agent-surviving.service on a systemd that knows no live update: sessions are held, and systemd makes the kexec.
. /usr/local/lib/steps.sh
set -e
systemctl --version | head -1
systemctl start luo-agent-surviving
echo "some bytes" >/run/in
printf '%s\n' '{"argv":["session","create","vm1"]}' \
  '{"argv":["file","preserve","vm1","--from","/run/in","--token","1"]}' \
  '{"argv":["kexec","load","/drop/next","--reuse-cmdline"]}' | batch
sessions vm1:outgoing:-
old=$(systemctl show -P MainPID luo-agent-surviving)
systemctl kill -s KILL luo-agent-surviving
while [ "$(systemctl show -P MainPID luo-agent-surviving)" = "$old" ]; do sleep 0.2; done
# Returns when the next agent is ready.
systemctl start luo-agent-surviving
sessions vm1:outgoing:adopted
luo status --timeout 300
[ "$(cat /proc/sys/kernel/kexec_load_limit_reboot)" = 2147483646 ] || fail "the kernel does not count loads"
systemd-analyze security luo-agent-surviving.service | tail -1
systemctl kexec
