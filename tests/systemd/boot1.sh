# The agent is killed, stopped, started by its socket, and replaced by another luo; then the user space starts anew.
. /usr/local/lib/steps.sh
set -e
systemctl start luo-agent.socket svc ls
echo "some bytes" >/run/in
printf '%s\n' '{"argv":["session","create","vm1"]}' \
  '{"argv":["file","preserve","vm1","--from","/run/in","--token","1"]}' | batch
sessions vm1:outgoing:-
systemd-analyze fdstore luo-agent.service
old=$(systemctl show -P MainPID luo-agent)
systemctl kill -s KILL luo-agent
sessions vm1:outgoing:adopted
[ "$(systemctl show -P MainPID luo-agent)" != "$old" ] || fail "the agent was not killed"
say "killed and started again"
systemctl stop luo-agent
[ "$(systemctl show -P NFileDescriptorStore luo-agent)" = 2 ] || fail "the store after a stop"
systemctl daemon-reexec
cp /drop/luo /usr/bin/luo2
mkdir -p /etc/systemd/system/luo-agent.service.d
printf '[Service]\nExecStart=\nExecStart=/usr/bin/luo2 agent run\n' >/etc/systemd/system/luo-agent.service.d/other.conf
systemctl daemon-reload
sessions vm1:outgoing:adopted
readlink "/proc/$(systemctl show -P MainPID luo-agent)/exe"
say "stopped, systemd executed anew, started by the socket as another luo"
systemctl soft-reboot
