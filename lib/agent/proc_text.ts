import { O_CLOEXEC, O_RDONLY } from "../../ffi/abi/fcntl.ts";
import type { Kernel } from "../system_calls.ts";

/** The contents of a small file of /proc or /sys, without the newline at its end; undefined when there is none. */
export function readText(kernel: Kernel, path: string): string | undefined {
  const fd = kernel.open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return undefined;
  let text = "";
  const piece = new Uint8Array(4096);
  const decoder = new TextDecoder();
  for (let got = kernel.read(fd, piece); got > 0; got = kernel.read(fd, piece)) {
    text += decoder.decode(piece.subarray(0, got), { stream: true });
  }
  kernel.close(fd);
  return text.replace(/\n$/, "");
}

/** Bytes that programs may still allocate without swapping; undefined when the kernel does not say. */
export function availableMemory(kernel: Kernel): bigint | undefined {
  const line = readText(kernel, "/proc/meminfo")?.match(/^MemAvailable:\s+(\d+) kB$/m);
  return line?.[1] === undefined ? undefined : BigInt(line[1]) * 1024n;
}
