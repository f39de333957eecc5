#!/bin/sh
# Process 1 of the root file system, before a kexec and after it.
export PATH=/usr/bin:/bin:/sbin
echo "TEST: the root file system at $(cut -d' ' -f1 /proc/uptime)"

first_boot() {
	set -eu
	# The agent of the initramfs held nothing, and so it has stopped.
	! luo agent status || return 1
	luo agent start
	for name in early held late; do
		luo session create $name
		echo "$name bytes" | luo file preserve $name --stdin --token 1
	done
	luo kexec load /boot/kernel --initrd /boot/initrd --reuse-cmdline --append luo.boot=2
	luo kexec exec
	sleep 100
}

second_boot() {
	set -eu
	[ "$(cat /run/early)" = "early bytes" ]
	# The agent of the initramfs holds a session, and so it goes on.
	luo session list
	[ "$(luo file restore held 1 --stdout)" = "held bytes" ]
	luo session finish held
	free -m
	luo agent stop
	umount -R /run/luo-root || umount /run/luo-root/*/* /run/luo-root/* /run/luo-root
	free -m
	luo agent start
	luo session retrieve late
	[ "$(luo file restore late 1 --stdout)" = "late bytes" ]
	luo session finish late
	[ "$(luo losses --json)" = '{"losses":[],"cleared":false}' ]
}

case $(cat /proc/cmdline) in
*luo.boot=2*) (second_boot) ;;
*) (first_boot) ;;
esac
status=$?
echo "TEST: ended with $status"
if [ $status != 0 ]; then
	cat /run/luo/*.log
	ls -l /run/luo /dev/liveupdate
	cat /proc/mounts
	ps
fi
sync
reboot -f
