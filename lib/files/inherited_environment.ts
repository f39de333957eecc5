import { O_CLOEXEC, O_RDONLY } from "../../ffi/abi/fcntl.ts";
import { open, read } from "../../ffi/file.ts";
import { check } from "../error.ts";
import { HostFd } from "./host_fd.ts";

/**
 * The whole environment this process was started with, `NAME=value` each: for a program that is started next. Deno gives only
 * the variables it was allowed to name; this is for handing on, never for looking at.
 */
export function inheritedEnvironment(): string[] {
  using fd = new HostFd(
    check(open("/proc/self/environ", O_RDONLY | O_CLOEXEC), "read", "/proc/self/environ"),
  );
  const parts: Uint8Array[] = [];
  for (;;) {
    const buffer = new Uint8Array(65536);
    const bytes = check(read(fd.number, buffer), "read", "/proc/self/environ");
    if (bytes === 0) break;
    parts.push(buffer.subarray(0, bytes));
  }
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return new TextDecoder().decode(whole).split("\0").filter((entry) => entry.includes("="));
}
