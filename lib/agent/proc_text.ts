/** Reads small files of /proc and /sys through the system calls of a process. */
import { O_CLOEXEC, O_RDONLY } from "../../ffi/abi/fcntl.ts";
import { parseAvailable } from "../files/free_memory.ts";
import type { SystemCalls } from "../system_calls.ts";

/** The contents of a small file of /proc or /sys, without the newline at its end; undefined when there is none. */
export function readText(sys: SystemCalls, path: string): string | undefined {
  const fd = sys.open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return undefined;
  let text = "";
  const piece = new Uint8Array(4096);
  const decoder = new TextDecoder();
  for (let got = sys.read(fd, piece); got > 0; got = sys.read(fd, piece)) {
    text += decoder.decode(piece.subarray(0, got), { stream: true });
  }
  sys.close(fd);
  return text.replace(/\n$/, "");
}

/** Bytes that programs may still allocate without swapping; undefined when the kernel does not say. */
export function availableMemory(sys: SystemCalls): bigint | undefined {
  return parseAvailable(readText(sys, "/proc/meminfo") ?? "");
}
