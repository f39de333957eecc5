/** The floors of the house: which folder may import from which. tests/architecture_test.ts holds them. */

/**
 * From the ground up, a folder, or a file that lies directly in lib/. A file may import from its own room and from every
 * floor below. Rooms on one floor do not know each other.
 */
export const FLOORS: readonly (readonly string[])[] = [
  ["ffi/abi"],
  ["ffi"],
  ["lib/schema"],
  ["lib/system_calls.ts", "lib/owned_number.ts", "lib/joined_bytes.ts", "lib/version.ts", "lib/report"],
  ["lib/operations.ts"],
  ["lib/error.ts"],
  ["lib/fd.ts", "lib/linux", "lib/stale_socket.ts", "lib/waits"],
  ["lib/kho"],
  ["lib/model/ground", "lib/model/memory"],
  ["lib/model/faults"],
  ["lib/model/kho", "lib/model/fs"],
  ["lib/model/luo"],
  ["lib/model/handlers"],
  ["lib/model/handlers/future"],
  ["lib/model/kernel"],
  ["lib/model"],
  ["lib/open_session.ts", "lib/kexec", "lib/files", "lib/access", "lib/systemd"],
  ["lib/session.ts", "lib/kexec/image"],
  ["lib/kexec/check"],
  ["lib/session_holder.ts", "lib/machine_process", "lib/rehearse", "lib/doctor"],
  ["lib/agent/update"],
  ["lib/agent", "lib/emulate/launcher", "lib/testing"],
  ["lib/emulate"],
  ["lib/luo.ts", "lib/testing.ts", "lib/agent_client.ts", "lib/abi.ts"],
  ["commands/base"],
  ["commands/errors"],
  ["commands/arguments"],
  ["commands/output", "commands/processes", "commands/help"],
  ["commands"],
  ["commands/program"],
  ["main.ts"],
];

/** The folder, or the file itself when it lies in the top folder or directly in lib/. */
export function room(path: string): string {
  const folder = path.split("/").slice(0, -1).join("/");
  return folder === "" || folder === "lib" ? path : folder;
}

/** Counted from the ground; -1 for a path in no room. */
export function floor(path: string): number {
  return FLOORS.findIndex((rooms) => rooms.includes(room(path)));
}
