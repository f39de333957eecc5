/** Files of /proc and /sys that luo serves: fdinfo and status of the machine's processes, and what tells which kernel runs. */
import { translateOpenFlags, X86_64 } from "../../ffi/abi/arch.ts";
import { F_GETFL, O_ACCMODE, O_CLOEXEC, O_CREAT, O_DIRECTORY, O_PATH, O_TRUNC } from "../../ffi/abi/fcntl.ts";
import { ARCH } from "../../ffi/libc.ts";
import { read_text } from "../../ffi/proc.ts";
import { getpid } from "../../ffi/process.ts";
import type { Ret, SystemCalls } from "../system_calls.ts";
import { look } from "./call_subject.ts";
import type { CallingProgram } from "./calling_program.ts";
import type { EmulatedFd, EmulatedFds } from "./emulated_fds.ts";
import type { NumberWatch } from "./number_watch.ts";
import type { FilePlace } from "./path_walk.ts";
import { contentFile } from "./kernel_file_open.ts";

/** O_DIRECT and O_NOATIME besides those with a name. */
const NOT_READ = O_ACCMODE | O_CREAT | O_TRUNC | O_DIRECTORY | O_PATH | 0o1040000;

/** A file of the host with the machine's content, which the caller closes; undefined for paths that are the host's. */
export function openMachineFile(
  sys: SystemCalls,
  program: CallingProgram,
  objects: EmulatedFds,
  { inside: path, path: shownAt }: FilePlace,
  flags: number,
): Ret | undefined {
  // The host's kernel refuses what is not to be had, and has nothing to say where nothing is read.
  if (flags & NOT_READ) return undefined;
  const name = objects.contentName(path, flags);
  const [, pid] = /^\/proc\/(?:\d+\/task\/)?(\d+)\/status$/.exec(path) ?? [];
  if (pid !== undefined) return openStatus(shownAt, pid, name, flags, program.watch);
  const shown = fdinfo(path);
  const object = shown && objects.find(shown.pid, shown.fd);
  return shown && object && openFdinfo(sys, program, shown, object, name, flags);
}

/** The content of the file when it is opened, without luo's filters and the guard that traces; undefined for a process that does not have it. */
function openStatus(
  path: string,
  pid: string,
  name: string,
  flags: number,
  watch: NumberWatch,
): Ret | undefined {
  const text = read_text(path);
  const filters = Number(/^Seccomp_filters:\t(\d+)$/m.exec(text ?? "")?.[1] ?? 0);
  if (text === undefined || filters === 0 || !isOfMachine(pid)) return undefined;
  const own = filters - 1 - watch.filters(Number(pid));
  const shown = text.replace(/^Seccomp_filters:\t\d+$/m, `Seccomp_filters:\t${own}`)
    .replace(`\nTracerPid:\t${watch.guard}\n`, "\nTracerPid:\t0\n");
  const whole = own === 0 ? shown.replace(/^Seccomp:\t2$/m, "Seccomp:\t0") : shown;
  return contentFile(name, encode(whole), { flags });
}

/** A process of the machine descends from the guard, which is a child of luo. */
function isOfMachine(pid: string): boolean {
  for (let at = pid; at !== "0" && at !== "1";) {
    const parent = /^PPid:\t(\d+)$/m.exec(read_text(`/proc/${at}/status`) ?? "")?.[1];
    if (parent === undefined) return false;
    if (parent === String(getpid())) return true;
    at = parent;
  }
  return false;
}

/** An fd of a process. */
interface ShownFd {
  readonly pid: number;
  readonly fd: number;
}

/** The fd that a path of /proc shows. */
function fdinfo(path: string): ShownFd | undefined {
  const [, pid, fd] = /^\/proc\/(?:\d+\/task\/)?(\d+)\/fdinfo\/(\d+)$/.exec(path) ?? [];
  return pid === undefined || fd === undefined ? undefined : { pid: Number(pid), fd: Number(fd) };
}

/** The host's file would tell of the memfd underneath. */
function openFdinfo(
  sys: SystemCalls,
  program: CallingProgram,
  { pid, fd }: ShownFd,
  object: EmulatedFd,
  name: string,
  opened: number,
): Ret {
  // FD_CLOEXEC is the fd's own, and the host knows it.
  const cloexec = (program.description(pid, fd)?.flags ?? 0) & O_CLOEXEC;
  const flags = translateOpenFlags(sys.fcntl(object.model_fd, F_GETFL), X86_64, ARCH) | cloexec;
  const { kind, node, entry } = object;
  const session = kind === "session" || node === undefined;
  const shown = look(session ? { is: "session", object } : { is: "device", node, entry });
  const mount = shown?.mount ?? (session ? 14 : 2);
  const text = `pos:\t0\nflags:\t0${flags.toString(8)}\nmnt_id:\t${mount}\nino:\t${shown?.ino ?? 0n}\n`;
  return contentFile(name, encode(text), { flags: opened });
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
