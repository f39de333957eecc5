/** The whole environment of this process, to hand on to a program that luo starts. */
import { O_CLOEXEC, O_RDONLY } from "../../ffi/abi/fcntl.ts";
import { decodeOsText } from "../../ffi/abi/os_text.ts";
import { open, read } from "../../ffi/file.ts";
import { check } from "../error.ts";
import { HostFd } from "./host_fd.ts";
import { checkProc } from "./system_files.ts";

const ENVIRONMENT = "/proc/self/environ";

/**
 * All variables that this process was started with, `NAME=value` each. Deno shows only those that luo has permission for, so they are
 * read from /proc. They are handed on and never looked at.
 */
export function inheritedEnvironment(): string[] {
  const number = open(ENVIRONMENT, O_RDONLY | O_CLOEXEC);
  if (number < 0) checkProc(ENVIRONMENT);
  using fd = new HostFd(check(number, "read", ENVIRONMENT));
  const parts: Uint8Array[] = [];
  for (;;) {
    const buffer = new Uint8Array(65536);
    const bytes = check(read(fd.number, buffer), "read", ENVIRONMENT);
    if (bytes === 0) break;
    parts.push(buffer.subarray(0, bytes));
  }
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return decodeOsText(whole).split("\0").filter((entry) => entry.includes("="));
}
