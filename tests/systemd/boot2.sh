# After the soft-reboot; the first kexec, by systemctl.
. /usr/local/lib/steps.sh
set -e
systemctl start luo-agent.socket svc ls late
sessions vm1:outgoing:adopted
say "soft-reboot"
printf '%s\n' '{"argv":["kexec","load","/drop/next","--reuse-cmdline"]}' | batch
systemctl kexec
