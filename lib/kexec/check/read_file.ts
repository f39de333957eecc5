/** Reads files through the system calls of a process: the running kernel's own, and those of its disk. */
import { O_CLOEXEC, O_NONBLOCK, O_RDONLY } from "../../../ffi/abi/fcntl.ts";
import type { SystemCalls } from "../../system_calls.ts";

const PIECE = 1 << 20;

/** The contents of a file; undefined when there is none, it cannot be read, or it has more than `limit` bytes. */
export function readFile(sys: SystemCalls, path: string, limit: number): Uint8Array | undefined {
  const fd = sys.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return undefined;
  const parts: Uint8Array[] = [];
  let total = 0;
  try {
    for (;;) {
      const piece = new Uint8Array(PIECE);
      const got = sys.read(fd, piece);
      if (got < 0) return undefined;
      if (got === 0) break;
      total += got;
      if (total > limit) return undefined;
      parts.push(got < 64 * 1024 ? piece.slice(0, got) : piece.subarray(0, got));
    }
  } finally {
    sys.close(fd);
  }
  const whole = new Uint8Array(total);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The contents of a small text file, without the newline at its end. */
export function readText(sys: SystemCalls, path: string): string | undefined {
  const bytes = readFile(sys, path, 1 << 20);
  return bytes && new TextDecoder().decode(bytes).replace(/\n$/, "");
}
