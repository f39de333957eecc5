# After the kexec: one session was restored and finished in the initramfs, one is retrieved, one waits.
set -e
. /usr/local/lib/steps.sh
[ "$(cat /run/early)" = "early bytes" ] || fail "the file that the initramfs restored"
sessions held:retrieved:adopted late:incoming:adopted
[ ! -e /run/luo-root ] || fail "an agent of the initramfs goes on"
rm -f /run/out
printf '%s\n' '{"argv":["file","restore","held","1","--to","/run/out"]}' '{"argv":["session","finish","held"]}' | batch
[ "$(cat /run/out)" = "held bytes" ] || fail "the file of held"
restored late 1 "late bytes"
sessions
dmesg | grep -iE 'warn|bug|oops' | head || true
say "restored before the root file system, and after it"
