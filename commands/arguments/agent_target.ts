/** Finds out which kernel and which agent a command is for. */
import type { CommonFlags } from "./command.ts";
import type { Backend, Settings } from "../base/context.ts";
import { encodeOsText } from "../../ffi/abi/os_text.ts";
import { Failure } from "../errors/failure.ts";

/** The kernel that a command works with, and the socket of its agent. */
export interface AgentTarget {
  readonly backend: Backend;
  readonly socket: string;
  /** Whether neither the command line nor the environment names the socket. luo makes the directory of the default place only. */
  readonly isDefault: boolean;
}

/**
 * The command line wins over the environment; without either, the kernel is Linux. There is no silent fall-back to the model:
 * a user must not believe that data is safe when it is not.
 */
export function resolveTarget(
  flags: Pick<CommonFlags, "backend" | "socket">,
  settings: Settings,
  isRoot: () => boolean,
): AgentTarget {
  const backend = backendOf(flags, settings);
  const named = flags.socket ?? nonEmpty(settings.socket);
  const socket = named ?? defaultSocket(backend, settings, isRoot());
  if (!socket.startsWith("/")) {
    throw new Failure("usage", `Cannot use "${socket}" as the agent's socket: an absolute path is needed`);
  }
  checkLength(socket, backend);
  return { backend, socket, isDefault: named === undefined };
}

/** sockaddr_un in unix(7): 108 bytes, with a NUL at the end. */
const SOCKET_PATH_MAX = 107;

function checkLength(socket: string, backend: Backend): void {
  const max = backend === "model" ? SOCKET_PATH_MAX - MACHINE.length : SOCKET_PATH_MAX;
  const { length } = encodeOsText(socket);
  if (length <= max) return;
  const why = `its path has ${length} bytes, and ${max} are the most`;
  throw new Failure("usage", `Cannot use "${socket}" as the agent's socket: ${why}`, {
    hints: ["choose a shorter one with --socket or LUO_SOCKET"],
  });
}

/** Which kernel a command works with. */
export function backendOf(flags: Pick<CommonFlags, "backend">, settings: Settings): Backend {
  return flags.backend ?? parseBackend(settings.backend);
}

/** The end of the name of the machine's socket. */
const MACHINE = ".machine";

/** The socket of the model's machine that belongs to the agent. */
export function machineSocket({ socket }: AgentTarget): string {
  return `${socket}${MACHINE}`;
}

function parseBackend(name: string | undefined): Backend {
  switch (nonEmpty(name)) {
    case undefined:
    case "linux":
      return "linux";
    case "model":
      return "model";
    default:
      throw new Failure("usage", `Cannot use LUO_BACKEND="${name}": use linux or model`);
  }
}

function defaultSocket(backend: Backend, { runtimeDir }: Settings, isRoot: boolean): string {
  const file = backend === "model" ? "model.sock" : "agent.sock";
  if (isRoot) return `/run/luo/${file}`;
  const directory = nonEmpty(runtimeDir);
  if (directory !== undefined) return `${directory}/luo/${file}`;
  throw new Failure(
    "unavailable",
    "Cannot tell where the agent listens: you are not root and XDG_RUNTIME_DIR is not set",
    {
      hints: ["name the socket: --socket PATH, or LUO_SOCKET"],
    },
  );
}

/** An empty variable counts as unset. */
function nonEmpty(value: string | undefined): string | undefined {
  return value === "" ? undefined : value;
}
