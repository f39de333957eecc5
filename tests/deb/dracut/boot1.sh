# The real system: an agent of its own has followed that of the initramfs. It preserves, and systemd executes the kexec.
set -e
. /usr/local/lib/steps.sh
systemctl start luo-agent.service
for name in early held late; do echo "$name bytes" >/run/$name.in; done
for name in early held late; do
	echo "{\"argv\":[\"session\",\"create\",\"$name\"]}"
	echo "{\"argv\":[\"file\",\"preserve\",\"$name\",\"--from\",\"/run/$name.in\",\"--token\",\"1\"]}"
done >/run/requests
echo '{"argv":["kexec","load","/drop/next","--initrd","/boot/initrd","--reuse-cmdline","--append","luo.boot=2"]}' >>/run/requests
batch </run/requests
systemctl kexec
