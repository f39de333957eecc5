/** The processor that a program is for, from its ELF header (`include/uapi/linux/elf.h`, `elf-em.h`). */
import { O_CLOEXEC, O_RDONLY } from "../../ffi/abi/fcntl.ts";
import { close, open, pread } from "../../ffi/file.ts";
import type { Architecture } from "../kexec/file_kind.ts";

/** Bytes of the header that are looked at: the magic @0, the class @4, the byte order @5, the machine u16 @18. */
const ELF_HEAD = 20;
const MAGIC = [0x7f, 0x45, 0x4c, 0x46];
const [CLASS_32, BIG_ENDIAN] = [1, 2];
const MACHINES: Readonly<Record<number, string>> = {
  3: "i386",
  8: "mips",
  20: "ppc",
  21: "ppc64",
  22: "s390x",
  40: "arm",
  62: "x86_64",
  183: "aarch64",
  243: "riscv",
  258: "loongarch",
};

/** `foreignHead` of this file; undefined for a file that cannot be read. */
export function foreignProgram(path: string, machine: Architecture): string | undefined {
  const fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return undefined;
  const head = new Uint8Array(ELF_HEAD);
  const got = pread(fd, head, 0n);
  close(fd);
  return foreignHead(head.subarray(0, Math.max(0, got)), machine);
}

/**
 * Why luo cannot serve this program on this machine; undefined when it can, or when the file is no ELF program. A 32-bit program
 * has system call numbers of its own, which luo does not serve.
 */
export function foreignHead(head: Uint8Array, machine: Architecture): string | undefined {
  if (head.length < ELF_HEAD || MAGIC.some((byte, at) => head[at] !== byte)) return undefined;
  const number = new DataView(head.buffer, head.byteOffset).getUint16(18, head[5] !== BIG_ENDIAN);
  const name = MACHINES[number] ?? `machine ${number} of ELF`;
  if (name !== machine) return `it is a program for ${name}, and this machine is ${machine}`;
  return head[4] === CLASS_32 ? "it is a 32-bit program" : undefined;
}
