# After the third kexec.
. /usr/local/lib/steps.sh
set -e
systemctl start luo-agent.socket
sessions vm3:incoming:adopted
restored vm3 1 "third bytes"
plain
dmesg | grep -iE 'warn|bug|oops' | head || true
say "three kexecs"
