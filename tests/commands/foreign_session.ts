/** Another program on the model's machine of a `Cli`: it uses the device itself, beside the agent. */
import { MFD_ALLOW_SEALING, MFD_CLOEXEC, MFD_EXEC } from "../../ffi/abi/fcntl.ts";
import { check } from "../../lib/error.ts";
import { connectMachine } from "../../lib/machine_process/remote_system_calls.ts";
import { Fd } from "../../lib/fd.ts";
import { type Device, openDevice } from "../../lib/session.ts";
import type { SystemCalls } from "../../lib/system_calls.ts";
import type { Cli } from "./cli.ts";

/** One more process of the machine. The machine must run: call it after the first command. */
export function machineProcess(cli: Cli): SystemCalls {
  return connectMachine(`${cli.socket}.machine`);
}

/** A memfd with these bytes and these seals, its position after the last byte. */
export function memfd(sys: SystemCalls, content: string): number {
  const fd = check(
    sys.memfd_create("foreign", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC),
    "make",
    "a memfd",
  );
  check(sys.write(fd, new TextEncoder().encode(content)), "write", "the memfd");
  return fd;
}

/**
 * Another program creates a session and preserves the files. The agent is stopped for that, because one program at a time has the
 * device. The session lives as long as `sys`, or until the kexec.
 */
export async function foreignSession(
  cli: Cli,
  sys: SystemCalls,
  name: string,
  files: Readonly<Record<string, string>>,
): Promise<void> {
  await cli.ok(["agent", "stop"]);
  using device: Device = openDevice(sys);
  const session = device.create(name);
  for (const [token, content] of Object.entries(files)) {
    session.preserve(new Fd(sys, memfd(sys, content)), BigInt(token));
  }
}
