#!/bin/sh
# Process 1 of the root file system, before a kexec and after it.
export PATH=/usr/bin:/bin:/sbin
# On a busy machine all takes long.
luo() { /usr/bin/luo "$@" --timeout 300; }
echo "TEST: the root file system at $(cut -d' ' -f1 /proc/uptime)"

first_boot() {
	set -eu
	# The agent of the initramfs held nothing, and so it has stopped.
	[ ! -e /run/luo-root ]
	luo agent start
	for name in early held late; do echo "$name bytes" >/run/$name.in; done
	# One start of luo in place of six: each takes seconds here.
	for name in early held late; do
		echo "{\"argv\":[\"session\",\"create\",\"$name\"]}"
		echo "{\"argv\":[\"file\",\"preserve\",\"$name\",\"--from\",\"/run/$name.in\",\"--token\",\"1\"]}"
	done | sed 's/\]}$/,"--timeout","300"]}/' | /usr/bin/luo batch
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
	/usr/lib/luo/initramfs-agent stop
	[ ! -e /run/luo-root ]
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
