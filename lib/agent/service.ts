/** The service manager that started the agent: what it gave to the agent, and how the agent reports its state. */
import { F_SETFD, F_SETFL, FD_CLOEXEC, O_NONBLOCK, O_RDWR } from "../../ffi/abi/fcntl.ts";
import { fcntl } from "../../ffi/file.ts";
import { getpid } from "../../ffi/process.ts";
import { bound_path, is_listening } from "../../ffi/socket.ts";
import { LuoError } from "../error.ts";
import { type FdStore, type StoredFd, systemdStore } from "./fd_store.ts";
import { notify } from "./notify.ts";

/** The variables of sd_listen_fds(3), sd_notify(3), sd_watchdog_enabled(3) and systemd.exec(5), as they are in the environment. */
export interface ServiceVariables {
  readonly NOTIFY_SOCKET?: string | undefined;
  readonly WATCHDOG_USEC?: string | undefined;
  readonly WATCHDOG_PID?: string | undefined;
  readonly LISTEN_PID?: string | undefined;
  readonly LISTEN_FDS?: string | undefined;
  readonly LISTEN_FDNAMES?: string | undefined;
  readonly FDSTORE?: string | undefined;
}

/** The names of these variables. */
export const SERVICE_VARIABLES = [
  "NOTIFY_SOCKET",
  "WATCHDOG_USEC",
  "WATCHDOG_PID",
  "LISTEN_PID",
  "LISTEN_FDS",
  "LISTEN_FDNAMES",
  "FDSTORE",
] as const satisfies readonly (keyof ServiceVariables)[];

/** SD_LISTEN_FDS_START in sd-daemon.h. */
const FIRST_FD = 3;

export class Service {
  /** The socket that the service manager listens on for the agent. It stays there when the agent ends. */
  readonly listenFd: number | undefined;
  /** Undefined: nothing outlives the agent. */
  readonly store: FdStore | undefined;
  readonly #socket: string | undefined;
  readonly #watchdog_ms: number;
  #status = "";

  /** @param backend only Linux's sessions are descriptors of this process: those of the model cannot be stored */
  constructor(
    variables: ServiceVariables,
    { socket: path, backend }: { socket: string; backend: "linux" | "model" },
  ) {
    const fds = givenFds(variables);
    const listener = fds.find(({ fd }) => is_listening(fd) === true && bound_path(fd) === path);
    if (listener !== undefined) fcntl(listener.fd, F_SETFL, O_RDWR | O_NONBLOCK);
    this.listenFd = listener?.fd;
    this.#socket = variables.NOTIFY_SOCKET || undefined;
    const room = Number(variables.FDSTORE ?? 0);
    if (this.#socket !== undefined && room > 0 && backend === "linux") {
      this.store = systemdStore(
        this.#socket,
        room,
        fds.filter(({ fd }) => typeof is_listening(fd) === "number"),
      );
    }
    const isForUs = variables.WATCHDOG_PID === undefined || Number(variables.WATCHDOG_PID) === getpid();
    this.#watchdog_ms = isForUs ? Number(variables.WATCHDOG_USEC ?? 0) / 1000 : 0;
  }

  /** Tells the service manager that the agent answers requests. */
  ready(): void {
    this.#tell("READY=1");
  }

  stopping(): void {
    this.#tell("STOPPING=1");
  }

  /** One line about the agent for systemctl status. */
  status(text: string): void {
    if (text === this.#status) return;
    this.#status = text;
    this.#tell(`STATUS=${text}`);
  }

  /** Tells the service manager again and again that this thread works, until the answer is disposed of. */
  watchdog(): Disposable {
    if (!(this.#watchdog_ms > 0)) return { [Symbol.dispose]() {} };
    const timer = setInterval(() => this.#tell("WATCHDOG=1"), this.#watchdog_ms / 2);
    return { [Symbol.dispose]: () => clearInterval(timer) };
  }

  /** A service manager that does not listen must not end the agent. */
  #tell(state: string): void {
    if (this.#socket === undefined) return;
    try {
      notify(this.#socket, state);
    } catch (error) {
      if (!(error instanceof LuoError)) throw error;
    }
  }
}

/** The descriptors that this process was started with. Programs that it starts must not have them. */
function givenFds({ LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES }: ServiceVariables): StoredFd[] {
  if (Number(LISTEN_PID) !== getpid()) return [];
  const names = LISTEN_FDNAMES?.split(":") ?? [];
  const fds = Array.from({ length: Number(LISTEN_FDS ?? 0) }, (_, index) => FIRST_FD + index);
  return fds.map((fd, index) => {
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    return { fd, name: names[index] ?? "unknown" };
  });
}
