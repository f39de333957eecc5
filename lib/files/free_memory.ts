/** How much memory is available, and whether a file to preserve fits. */
import { O_CLOEXEC, O_RDONLY } from "../../ffi/abi/fcntl.ts";
import { open, read } from "../../ffi/file.ts";
import { HostFd } from "./host_fd.ts";
import { FileProblem } from "./file_problem.ts";

/** Stays free for other programs. The kernel does not refuse in time: the OOM killer comes before ENOMEM. */
const RESERVE_BYTES = 64n << 20n;

/** MemAvailable of the host's /proc/meminfo in bytes; undefined when /proc has none. */
export function hostAvailableMemory(): bigint | undefined {
  const number = open("/proc/meminfo", O_RDONLY | O_CLOEXEC);
  if (number < 0) return undefined;
  using fd = new HostFd(number);
  const buffer = new Uint8Array(8192);
  const bytes = read(fd.number, buffer);
  return bytes > 0 ? parseAvailable(new TextDecoder().decode(buffer.subarray(0, bytes))) : undefined;
}

/** The line `MemAvailable:   12345 kB` (Documentation/filesystems/proc.rst). */
export function parseAvailable(meminfo: string): bigint | undefined {
  const found = /^MemAvailable:\s+(\d+) kB$/m.exec(meminfo)?.[1];
  return found === undefined ? undefined : BigInt(found) << 10n;
}

/**
 * Refuses `bytes` more when memory would not hold them. Preserved pages are pinned and cannot be swapped out.
 *
 * @throws FileProblem `memory`
 */
export function checkMemory(
  bytes: bigint,
  file: string,
  available: bigint | undefined = hostAvailableMemory(),
): void {
  if (available === undefined || bytes + RESERVE_BYTES <= available) return;
  throw new FileProblem("memory", { file, needed: bytes, available });
}
