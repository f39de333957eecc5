# After the third kexec: the agent has called the participant by itself.
. /usr/local/lib/steps.sh
set -e
systemctl start luo-agent.socket
status
for _ in $(seq 100); do
  [ "$(cat $AGENT.update)" != normal ] || break
  sleep 1
done
[ "$(cat $AGENT.update)" = normal ] || fail "the update is $(cat $AGENT.update)"
[ "$(cat /run/app.out)" = "bytes of the app" ] || fail "the app's file"
say "the app has its file"
luo update report --timeout 300 >/run/report || fail "the report"
cat /run/report
grep -q "systemd-shutdown executes the kernel" /run/report || fail "systemd's moments in the report"
sessions user-1:incoming:adopted vm3:incoming:adopted
restored vm3 1 "third bytes"
plain
dmesg | grep -iE 'warn|bug|oops' | head || true
say "three kexecs"
