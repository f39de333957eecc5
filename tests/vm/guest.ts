/** For programs inside the virtual machine: where things are, and how the next boot is told which one it is. */

export const BOOT_IMAGE = "/share/boot/kernel";
export const BOOT_INITRD = "/share/boot/initrd";
export const KERNELS = "/share/kernels";
export const RESULTS = "/results";

/**
 * This boot's command line with the boot number one higher: what kexec_file_load must be given. Without NUL. `more` goes behind
 * it, for that boot only: words after `luo.boot=` are not passed on.
 */
export function nextCommandLine(current: string, more = ""): string {
  const [base = "", boot = "1"] = current.trim().split(/ *\bluo\.boot=(\d+)/);
  return `${base} luo.boot=${Number(boot) + 1} ${more}`.trim();
}
