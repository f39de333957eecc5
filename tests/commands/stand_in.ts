/**
 * A file that Linux takes for an x86-64 kernel and that boots nothing: a valid setup header and no code
 * (Documentation/arch/x86/boot.rst).
 */
export function standInKernel(release = "7.3.4-standin"): Uint8Array {
  const image = new Uint8Array(8192);
  const view = new DataView(image.buffer);
  view.setUint8(0x1f1, 4); // setup_sects
  view.setUint16(0x1fe, 0xaa55, true); // boot_flag
  view.setUint32(0x202, 0x48647253, false); // "HdrS"
  view.setUint16(0x206, 0x020f, true); // version
  view.setUint16(0x20e, 0x400, true); // kernel_version, less 0x200
  view.setUint8(0x211, 1); // loadflags: LOADED_HIGH
  view.setUint32(0x22c, 0x7fffffff, true); // initrd_addr_max
  view.setUint32(0x230, 0x200000, true); // kernel_alignment
  view.setUint8(0x234, 1); // relocatable_kernel
  view.setUint16(0x236, 3, true); // xloadflags: KERNEL_64, CAN_BE_LOADED_ABOVE_4G
  view.setUint32(0x238, 2047, true); // cmdline_size
  view.setBigUint64(0x258, 0x1000000n, true); // pref_address
  view.setUint32(0x260, 0x1000000, true); // init_size
  image.set(new TextEncoder().encode(`${release} (luo@test) #1\0`), 0x600);
  return image;
}
