# After systemctl kexec: the agent lived until the kernel ended, so the session waits in the kernel.
. /usr/local/lib/steps.sh
set -e
systemctl start luo-agent-surviving
sessions vm1:incoming:orphaned
restored vm1 1 "some bytes"
say "the session has survived"
