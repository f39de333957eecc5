/** Process 1 of the virtual machine, as a script for busybox. */

/** The directory of the host with the kernel, the initramfs, and the script of this machine; read-only in the guest. */
export const BOOT_SHARE = "/share/boot";
/** A directory of the host to which the guest may write. */
export const RESULTS_SHARE = "/results";
/** The mount options of a share. QEMU has no larger messages. */
export const NINE = "trans=virtio,version=9p2000.L,msize=500000";

/** The first words on the console of each boot. */
export const INIT_RUNS = "luo-vm: init";
/** The kernel cannot mount a share. */
export const NO_SHARES = "luo-vm: no shares";

/**
 * Mounts what every machine has, counts the boot, runs `guest` of this machine, leaves its exit status in the results, and
 * switches off. The count is in a file of the host: it survives the kexec, whatever the next kernel's command line is.
 */
export const INIT_SCRIPT: string = `#!/bin/busybox sh
echo "${INIT_RUNS}"
/bin/busybox mkdir -p /dev /proc /sys /tmp /run /root /sbin /usr/bin /usr/sbin ${BOOT_SHARE} ${RESULTS_SHARE}
/bin/busybox --install -s /bin
export PATH=/bin
# From here on the console shows "Starting new kernel" (a notice), which tells that a kexec began.
dmesg -n 6
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev 2>/dev/null
mkdir -p /dev/shm /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs /tmp
mount -t tmpfs tmpfs /run
mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null
mount -t cgroup2 cgroup2 /sys/fs/cgroup 2>/dev/null
ip link set lo up 2>/dev/null
for module in /modules/$(uname -r)/*.ko; do
  [ ! -e $module ] || insmod $module
done

mount -t 9p -o ${NINE},cache=loose,ro boot ${BOOT_SHARE} || { echo "${NO_SHARES}"; reboot -f; }
# No cache: what is written here is on the host even if the next thing that happens is a kexec.
mount -t 9p -o ${NINE},cache=none results ${RESULTS_SHARE} || { echo "${NO_SHARES}"; reboot -f; }

LUO_BOOT=$(($(cat ${RESULTS_SHARE}/boot 2>/dev/null || echo 0) + 1))
echo $LUO_BOOT >${RESULTS_SHARE}/boot
export LUO_BOOT
echo "luo-vm: boot $LUO_BOOT"

status=125
. ${BOOT_SHARE}/guest
dmesg >${RESULTS_SHARE}/dmesg.$LUO_BOOT.txt
echo $status >${RESULTS_SHARE}/exit.$LUO_BOOT
sync
# The machine is started with -no-reboot: this ends it.
reboot -f
`;
