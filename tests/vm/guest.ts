/** For programs inside the virtual machine: where things are, and how the next boot is told which one it is. */

export const BOOT_IMAGE = "/share/boot/kernel";
export const BOOT_INITRD = "/share/boot/initrd";
export const KERNELS = "/share/kernels";
export const RESULTS = "/results";

/** This boot's command line with the boot number one higher: what kexec_file_load must be given. Without NUL. */
export function nextCommandLine(current: string): string {
  const words = current.trim().split(/\s+/);
  return words.map((word) => word.replace(/^luo\.boot=(\d+)$/, (_, boot) => `luo.boot=${Number(boot) + 1}`))
    .join(" ");
}
