/**
 * Another program that does kexecs, as kexec-tools would (`-s -l`, `-c -l`, `-e`), in the virtual machine:
 *
 *     update_kexec.ts load KERNEL INITRD COMMAND_LINE | load-old | exec
 *
 * `load-old` is kexec_load(2) of an image that boots nowhere: a page of hlt at 16 MiB.
 */
import { O_RDONLY } from "../../ffi/abi/fcntl.ts";
import { exec, loadImage } from "../../lib/kexec/load.ts";
import { Fd, linux } from "../../lib/luo.ts";

const KEXEC_LOAD_X86_64 = 246n;
const PAGE = 4096;

/** struct kexec_segment of include/uapi/linux/kexec.h: buf, bufsz, mem, memsz, all 8 bytes. */
function loadOld(): number {
  const code = new Uint8Array(PAGE).fill(0xf4);
  const address = Deno.UnsafePointer.value(Deno.UnsafePointer.of(code));
  const segment = new BigUint64Array([BigInt(address), BigInt(PAGE), 0x100_0000n, BigInt(PAGE)]);
  const libc = Deno.dlopen("libc.so.6", {
    // long syscall(long number, unsigned long entry, unsigned long nr_segments, struct kexec_segment *, unsigned long flags)
    syscall: { parameters: ["i64", "u64", "u64", "buffer", "u64"], result: "i64" },
  });
  return Number(libc.symbols.syscall(KEXEC_LOAD_X86_64, 0x100_0000n, 1n, segment, 0n));
}

using sys = linux();
const [verb, image = "", initrd = "", commandLine = ""] = Deno.args;
switch (verb) {
  case "load": {
    const open = (path: string) => Fd.of(sys, sys.open(path, O_RDONLY), "open", path);
    loadImage(sys, { kernel: open(image), initrd: open(initrd), commandLine });
    break;
  }
  case "load-old":
    if (loadOld() !== 0) throw new Error("kexec_load failed");
    break;
  case "exec":
    exec(sys);
    break;
  default:
    throw new TypeError("Usage: update_kexec.ts load KERNEL INITRD COMMAND_LINE | load-old | exec");
}
