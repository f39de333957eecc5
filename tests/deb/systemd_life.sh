# The life of the package under systemd, in the virtual machine of systemd.sh.
. /usr/local/lib/steps.sh
set -e
export DEBIAN_FRONTEND=noninteractive
# The machine has a link there, for programs that it is given.
rm -f /usr/local/bin/luo
UNIT=luo-agent.service

install_version() { dpkg -i /debs/luo_"$1"_*.deb; }
pid() { systemctl show -P MainPID $UNIT; }
stored() { systemctl show -P NFileDescriptorStore $UNIT; }
# preserve NAME: a session with one file.
preserve() {
  echo "bytes of $1" >/run/in
  printf '%s\n' "{\"argv\":[\"session\",\"create\",\"$1\"]}" \
    "{\"argv\":[\"file\",\"preserve\",\"$1\",\"--from\",\"/run/in\",\"--token\",\"1\"]}" | batch
}
# refused TEXT: the removal is refused with that text, and changes nothing.
refused() {
  ! dpkg -r luo >/run/out 2>&1 || { cat /run/out; fail "removed"; }
  cat /run/out
  grep -q "$1" /run/out || fail "the reason"
  [ "$(dpkg-query -W -f '${db:Status-Status}' luo)" = installed ] || fail "half removed"
}

install_version 0.1.0-1
systemctl is-active luo-agent.socket $UNIT
systemctl is-enabled luo-agent.socket $UNIT
preserve vm1
say "installed, and running"

old=$(pid)
install_version 0.1.0-2
[ "$(pid)" != "$old" ] || fail "the agent of the version before runs on"
case $(readlink "/proc/$(pid)/exe") in *deleted*) fail "the executable of the version before" ;; esac
sessions vm1:outgoing:adopted
say "upgraded while systemd's fd store has the sessions"

refused "sessions are held, or wait in the kernel: 1"
systemctl stop luo-agent.socket $UNIT
refused "sessions are held, or wait in the kernel: 1"
sessions vm1:outgoing:adopted
luo session close vm1 --force --timeout 300
say "not removed while a session is held, nor while the store has one"

systemctl stop luo-agent.socket $UNIT
systemctl clean --what=fdstore $UNIT
luo agent start --timeout 300
by_hand=$(cat $AGENT.lock)
preserve vm2
install_version 0.1.0-1
[ "$(cat $AGENT.lock)" = "$by_hand" ] || fail "another agent runs"
systemctl is-active luo-agent.socket && fail "systemd took the socket"
sessions vm2:outgoing:-
refused "sessions are held, or wait in the kernel: 1"
luo session close vm2 --force --timeout 300
say "an agent that was started by hand is left alone"

systemctl reset-failed
dpkg -r luo
! pgrep -f "^/usr/bin/luo " || fail "the agent runs on"
[ "$(stored)" = 0 ] || fail "the store has $(stored)"
[ ! -e /usr/bin/luo ] && [ -e /etc/luo/luo.conf ] || fail "the files after the removal"
say "removed"

install_version 0.1.0-2
systemctl is-active luo-agent.socket $UNIT
dpkg -r luo
[ "$(stored)" = 0 ] || fail "the store has $(stored)"
say "installed and removed again"

dpkg -P luo
find / -xdev \( -path /debs -o -path /drop -o -path /proc -o -path /var/log \) -prune -o -iname '*luo*' -print | grep -v luotool >/run/left || true
find /run -iname '*luo*' -not -path '/run/varlink/*' -not -name left >>/run/left
cat /run/left
[ ! -s /run/left ] || fail "something is left"
systemctl list-units --all --no-legend 'luo-agent*' | tee /run/out
[ ! -s /run/out ] || fail "a unit is left"
say "purged"
