/** The host as the doctor reads it: files through the seam; directories and links by libc, and none of them on the model. */
import { O_CLOEXEC, O_PATH, O_RDONLY } from "../../ffi/abi/fcntl.ts";
import { readlink } from "../../ffi/file.ts";
import { list_directory } from "../../ffi/proc.ts";
import type { SystemCalls } from "../system_calls.ts";

/** The running agent, by its own answer. */
export interface KnownAgent {
  readonly pid: number;
  readonly holdsDevice: boolean;
  /** The number of sessions that it holds for the next kernel. */
  readonly outgoing?: number;
  /** An image is loaded, and luo did not load it. */
  readonly foreignImage?: boolean;
}

/** A host to look at. Paths are absolute. */
export interface Host {
  readonly sys: SystemCalls;
  readonly agent?: KnownAgent;
  /** The text of a file; undefined when it cannot be read. */
  text(path: string): string | undefined;
  bytes(path: string): Uint8Array | undefined;
  exists(path: string): boolean;
  /** The names in a directory; none when it cannot be listed. */
  list(path: string): readonly string[];
  /** The target of a symbolic link; undefined when it cannot be read. */
  link(path: string): string | undefined;
  /** The path under which the seam finds a file. */
  place(path: string): string;
}

/** The model: it answers system calls, and its directories cannot be listed. */
export function kernelHost(sys: SystemCalls, agent?: KnownAgent): Host {
  return { ...files(sys, ""), sys, agent, list: () => [], link: () => undefined };
}

/** This host, or a tree of files below `root` that looks like one. */
export function linuxHost(sys: SystemCalls, agent?: KnownAgent, root = ""): Host {
  return {
    ...files(sys, root),
    sys,
    agent,
    list: (path) => list_directory(root + path).toSorted(),
    link(path) {
      const target = readlink(root + path);
      return typeof target === "number" ? undefined : target;
    },
  };
}

const PIECE_BYTES = 1 << 16;

function files(sys: SystemCalls, root: string): Pick<Host, "text" | "bytes" | "exists" | "place"> {
  const bytes = (path: string): Uint8Array | undefined => {
    const fd = sys.open(root + path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return undefined;
    let [whole, length, got] = [new Uint8Array(PIECE_BYTES), 0, 0];
    while ((got = sys.read(fd, whole.subarray(length))) > 0) {
      length += got;
      if (length < whole.length) continue;
      const larger = new Uint8Array(2 * length);
      larger.set(whole);
      whole = larger;
    }
    sys.close(fd);
    return got < 0 ? undefined : whole.subarray(0, length);
  };
  return {
    bytes,
    text(path) {
      const found = bytes(path);
      return found && new TextDecoder().decode(found);
    },
    exists(path) {
      const fd = sys.open(root + path, O_PATH | O_CLOEXEC);
      if (fd >= 0) sys.close(fd);
      return fd >= 0;
    },
    place: (path) => root + path,
  };
}

/** The value of `Name:` in a file with lines `Name: value`, such as /proc/PID/status. */
export function field(text: string | undefined, name: string): string | undefined {
  return new RegExp(`^${name}:\\s*(.*)$`, "m").exec(text ?? "")?.[1];
}

/** The process whose rights and limits count: the agent, or without an agent this process. */
export function worker({ agent }: Host): { readonly proc: string; readonly name: string } {
  return agent === undefined
    ? { proc: "/proc/self", name: "this process" }
    : { proc: `/proc/${agent.pid}`, name: `the agent (process ${agent.pid})` };
}
