/** For programs inside the virtual machine: where things are, and the next boot's command line. */

export const BOOT_IMAGE = "/share/boot/kernel";
export const BOOT_INITRD = "/share/boot/initrd";
export const KERNELS = "/share/kernels";
export const RESULTS = "/results";

/**
 * The command line for kexec_file_load, without a NUL: this boot's, with `more` for the next boot only. `luo.boot=N` stands
 * between the words of every boot and those of one.
 */
export function nextCommandLine(current: string, more = ""): string {
  const [base = "", boot = "1"] = current.trim().split(/ *\bluo\.boot=(\d+)/);
  return `${base} luo.boot=${Number(boot) + 1} ${more}`.trim();
}
