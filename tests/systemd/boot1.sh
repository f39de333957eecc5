# The agent is killed, stopped, started by its socket, and replaced by another luo; then the user space starts anew.
. /usr/local/lib/steps.sh
set -e
systemctl start luo-agent.socket svc ls
echo "some bytes" >/run/in
printf '%s\n' '{"argv":["session","create","vm1"]}' \
  '{"argv":["file","preserve","vm1","--from","/run/in","--token","1"]}' | batch
sessions vm1:outgoing:-
systemd-analyze fdstore luo-agent.service
systemd_shows 0 luo-agent.service:vm1:vm1 svc.service:session:own-svc ls.service:state:ls.service-744280a1a7934587bd025a45
luo status --timeout 300
[ "$(cat /proc/sys/kernel/kexec_load_limit_reboot)" = 2147483647 ] || fail "the kernel does not count loads"
systemd-analyze security luo-agent.service | tail -1
old=$(systemctl show -P MainPID luo-agent)
systemctl kill -s KILL luo-agent
sessions vm1:outgoing:adopted
[ "$(systemctl show -P MainPID luo-agent)" != "$old" ] || fail "the agent was not killed"
say "killed and started again"
systemctl stop luo-agent
[ "$(systemctl show -P NFileDescriptorStore luo-agent)" = 2 ] || fail "the store after a stop"
refused luo agent run
grep -q "systemctl start luo-agent" /run/refused || fail "an agent by hand while systemd listens"
systemctl stop luo-agent.socket luo-agent
refused luo agent run
grep -q "systemd's fd store has sessions" /run/refused || fail "an agent by hand while systemd has sessions"
flock --no-fork $AGENT.lock sleep 1000 &
while flock -n $AGENT.lock true; do sleep 0.2; done
refused systemctl start luo-agent.socket
kill %1
systemctl start luo-agent.socket
say "an agent by hand is refused"
systemctl daemon-reexec
cp /drop/luo /usr/bin/luo2
mkdir -p /etc/systemd/system/luo-agent.service.d
printf '[Service]\nExecStart=\nExecStart=/usr/bin/luo2 agent run\n' >/etc/systemd/system/luo-agent.service.d/other.conf
systemctl daemon-reload
sessions vm1:outgoing:adopted
readlink "/proc/$(systemctl show -P MainPID luo-agent)/exe"
say "stopped, systemd executed anew, started by the socket as another luo"
systemctl soft-reboot
