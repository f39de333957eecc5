/** kexec_file_load(2) and reboot(2) (`include/uapi/linux/kexec.h`, `linux/reboot.h`). Pure data. */

/** kexec_file_load(2): unloads the image. */
export const KEXEC_FILE_UNLOAD = 0x01;
/** kexec_file_load(2): the kernel that is started after a panic. */
export const KEXEC_FILE_ON_CRASH = 0x02;
/** kexec_file_load(2): without an initramfs. */
export const KEXEC_FILE_NO_INITRAMFS = 0x04;
/** kexec_file_load(2): says more in the kernel's log. */
export const KEXEC_FILE_DEBUG = 0x08;
/** kexec_file_load(2): no memory of CMA areas for the image. */
export const KEXEC_FILE_NO_CMA = 0x10;
/** kexec_file_load(2): passes the device tree on where ACPI is used. */
export const KEXEC_FILE_FORCE_DTB = 0x20;

/** Bytes of the longest command line on x86-64, with the NUL: 2048 less the room that the kernel keeps for `elfcorehdr=`. */
export const KEXEC_CMDLINE_MAX = 2017;

/** reboot(2): executes the loaded kernel. */
export const LINUX_REBOOT_CMD_KEXEC = 0x45584543;
/** reboot(2): restarts the machine. */
export const LINUX_REBOOT_CMD_RESTART = 0x01234567;
/** reboot(2): switches the machine off. */
export const LINUX_REBOOT_CMD_POWER_OFF = 0x4321fedc;
/** reboot(2): Ctrl-Alt-Del sends SIGINT to process 1. */
export const LINUX_REBOOT_CMD_CAD_OFF = 0;
