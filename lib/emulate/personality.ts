/** What uname(2) tells a program of another personality(2) (kernel/sys.c: override_release(), override_architecture()). */
import type { Utsname } from "../../ffi/abi/values.ts";
import { read_text } from "../../ffi/proc.ts";

/** linux/personality.h: the kind of system, and UNAME26. */
const [PER_MASK, PER_LINUX32, UNAME26] = [0xff, 8, 0x20000];
/** COMPAT_UTS_MACHINE of each architecture. */
const MACHINE_32 = { x86_64: "i686", aarch64: "armv8l" } as const;

export function personalityOf(tid: number): number {
  return parseInt(read_text(`/proc/${tid}/personality`) ?? "0", 16);
}

export function inPersonality(personality: number, name: Utsname): Utsname {
  const release = personality & UNAME26 ? release26(name.release) : name.release;
  const machine = (personality & PER_MASK) === PER_LINUX32 ? MACHINE_32[Deno.build.arch] : name.machine;
  return { ...name, release, machine };
}

/** 7.3.4-x is 2.6.63-x: for programs that cannot read a version of another form. */
function release26(release: string): string {
  const minor = Number(/^\d+\.(\d+)/.exec(release)?.[1] ?? 0);
  return `2.6.${60 + minor}${release.replace(/^\d*(\.\d*){0,2}/, "")}`;
}
