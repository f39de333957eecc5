#!/bin/sh
# Process 1 of the virtual machine. Runs the command of this boot, leaves its exit status in /results, switches off.
# Which boot it is stands on the command line (luo.boot=N): a command that executes a kexec adds one there.
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev 2>/dev/null
mkdir -p /dev/shm /dev/pts /tmp /run /root /results
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs /tmp
mount -t tmpfs tmpfs /run
mount -t debugfs debugfs /sys/kernel/debug
mount -t cgroup2 cgroup2 /sys/fs/cgroup
ip link set lo up 2>/dev/null

nine="trans=virtio,version=9p2000.L,msize=500000"
for tag in boot checkout deno npm kernels; do
  mkdir -p /share/$tag
  mount -t 9p -o $nine,cache=loose,ro $tag /share/$tag 2>/dev/null
done
# No cache: what is written here is on the host even if the next thing that happens is a kexec.
mount -t 9p -o $nine,cache=none results /results || { echo "luo-vm: no /results"; reboot -f; }

# Deno wants to write beside the packages, so only they come from the host.
export DENO_DIR=/tmp/deno
mkdir -p $DENO_DIR
ln -s /share/npm $DENO_DIR/npm

export PATH=/bin:/share/deno HOME=/root TERM=dumb NO_COLOR=1 DENO_NO_UPDATE_CHECK=1 LUO_VM=1 LUO_BACKEND=linux
LUO_BOOT=1
for word in $(cat /proc/cmdline); do
  case $word in luo.boot=*) LUO_BOOT=${word#luo.boot=} ;; esac
done
export LUO_BOOT
echo "luo-vm: boot $LUO_BOOT"

cd /share/checkout 2>/dev/null || cd /
if [ -f /share/boot/command.$LUO_BOOT ]; then
  sh /share/boot/command.$LUO_BOOT </dev/null
  status=$?
else
  echo "luo-vm: nothing to do in boot $LUO_BOOT"
  status=125
fi
dmesg >/results/dmesg.$LUO_BOOT.txt
echo $status >/results/exit.$LUO_BOOT
sync
# The machine is started with -no-reboot: this ends it.
reboot -f
