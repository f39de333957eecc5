/** kexec_file_load(2) and reboot(2) (`include/uapi/linux/kexec.h`, `linux/reboot.h`). Pure data. */

export const KEXEC_FILE_UNLOAD = 0x01;
export const KEXEC_FILE_ON_CRASH = 0x02;
export const KEXEC_FILE_NO_INITRAMFS = 0x04;
export const KEXEC_FILE_DEBUG = 0x08;
export const KEXEC_FILE_NO_CMA = 0x10;
export const KEXEC_FILE_FORCE_DTB = 0x20;

/** Bytes of the longest command line on x86-64, with the NUL: 2048 less the room that the kernel keeps for `elfcorehdr=`. */
export const KEXEC_CMDLINE_MAX = 2017;

export const LINUX_REBOOT_CMD_KEXEC = 0x45584543;
export const LINUX_REBOOT_CMD_RESTART = 0x01234567;
export const LINUX_REBOOT_CMD_POWER_OFF = 0x4321fedc;
export const LINUX_REBOOT_CMD_CAD_OFF = 0;
