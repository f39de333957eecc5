/** Where tripwires lie (tripwires.ts): the instructions that tell an open that only reads, and one that the guard has marked (launcher/trip.h). */
import type { Instruction } from "../../ffi/abi/bpf.ts";
import { O_ACCMODE, O_CREAT, O_PATH, O_TRUNC } from "../../ffi/abi/fcntl.ts";
import { dataArgument } from "../../ffi/abi/seccomp.ts";

/** What an open does besides reading, by flags that have one number on both architectures. O_NOATIME: the kernel asks for the owner first. */
const [TMPFILE, O_NOATIME] = [0o20000000, 0o1000000];
const NOT_ONLY_READS = O_ACCMODE | O_CREAT | O_TRUNC | O_PATH | TMPFILE | O_NOATIME;
/** The argument that open and openat do not have. */
const MARKED = 5;

interface OpenIs {
  /** The argument with the flags. */
  readonly opens: number;
  readonly mark: bigint;
  /** Names the call: no two parts of a program may have the same name. */
  readonly name: string;
  /** Where an open with the mark goes. */
  readonly marked: string;
  /** Where an open goes that does more than read. */
  readonly otherwise: string;
}

/** The program goes on after these instructions for an open that only reads, without the mark. */
export function openIs({ opens, mark, name, marked, otherwise }: OpenIs): Instruction[] {
  const unmarked = `${name} without the mark`;
  return [
    { op: "load", offset: dataArgument(opens) },
    { op: "and", mask: NOT_ONLY_READS },
    { op: "jump_if_equal", value: 0, otherwise },
    { op: "load", offset: dataArgument(MARKED) },
    { op: "jump_if_equal", value: Number(mark & 0xffff_ffffn), otherwise: unmarked },
    { op: "load", offset: dataArgument(MARKED) + 4 },
    { op: "jump_if_equal", value: Number(mark >> 32n), to: marked },
    { op: "mark", name: unmarked },
  ];
}
