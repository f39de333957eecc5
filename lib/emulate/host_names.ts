/** The host names of the machine: of its own UTS namespace, and of those that its programs make. */
import type { Notification } from "../../ffi/abi/seccomp.ts";
import { decodeOsText } from "../../ffi/abi/os_text.ts";
import { readlink } from "../../ffi/file.ts";
import { int } from "./call_answer.ts";
import type { CallingProgram } from "./calling_program.ts";
import { CAP_SYS_ADMIN } from "./credentials.ts";

/** linux/utsname.h */
const NEW_UTS_LEN = 64;

/** What uname(2) says besides the release: the host's kernel has it for its own processes only. */
interface Names {
  readonly nodename?: string;
  readonly domainname?: string;
}

export class HostNames {
  /** By namespace. */
  readonly #set = new Map<string, Names>();
  /** The names that were set last: a new namespace begins with those of its maker. */
  #latest: Names = {};

  constructor(readonly program: CallingProgram) {}

  of(tid: number): Names {
    return (this.#set.size > 0 ? this.#set.get(namespaceOf(tid)) : undefined) ?? this.#latest;
  }

  /** Remembers the name that the host's kernel is about to set. */
  set({ tid, args: [address, raw] }: Notification, which: keyof Names): undefined {
    const length = int(raw);
    if (length < 0 || length > NEW_UTS_LEN || !this.program.credentials(tid).has(CAP_SYS_ADMIN)) return;
    const bytes = this.program.bytes(tid, address, length);
    if (typeof bytes === "number" || bytes.length < length) return;
    this.#latest = { ...this.of(tid), [which]: decodeOsText(bytes).replace(/\0.*$/s, "") };
    this.#set.set(namespaceOf(tid), this.#latest);
  }
}

function namespaceOf(tid: number): string {
  return String(readlink(`/proc/${tid}/ns/uts`));
}
