/** The context that every command runs in. */
import type { CommandContext, RouteMap, StricliProcess } from "@stricli/core";
import type { ServiceVariables } from "../../lib/agent/service.ts";
import type { AgentClient } from "../../lib/agent/client.ts";
import type { ExitCode } from "./exit_codes.ts";
import type { Paint } from "./text.ts";

export type Backend = "linux" | "model";

/** The environment variables of luo, read once by `main.ts`. */
export interface Settings {
  /** LUO_BACKEND. */
  readonly backend?: string;
  /** LUO_SOCKET. */
  readonly socket?: string;
  /** LUO_EXE: the executable that starts `luo` again. */
  readonly exe?: string;
  /** LUO_ACCESS: the file with the access rules of the agent. */
  readonly access?: string;
  /** LUO_FAULTS: the faults to inject into the machine of the model. */
  readonly faults?: string;
  /** LUO_PARTICIPANTS: the directory of participants of live updates. */
  readonly participants?: string;
  /** LUO_LUOD_SOCKET: the socket for clients of luo-agent. */
  readonly luodSocket?: string;
  /** LUO_TEST_KERNELS: a directory of kernel images for virtual machines. */
  readonly kernels?: string;
  /** LUO_CONFIG: the file with the host's defaults; empty: none. */
  readonly config?: string;
  /** The variables that name the next kernel and what belongs to it (commands/arguments/config_file.ts). */
  readonly nextKernel?: Readonly<Record<string, string | undefined>>;
  /** XDG_RUNTIME_DIR. */
  readonly runtimeDir?: string;
  /** The variables that a service manager sets. */
  readonly service?: ServiceVariables;
}

/** The streams, settings and terminals a command may use. `main.ts` makes one, and tests do. */
export interface Outside {
  readonly process: StricliProcess;
  readonly settings: Settings;
  /** The URL of `main.ts`, to start luo again in the background. */
  readonly mainModule: string;
  readonly stdoutIsTerminal: boolean;
  readonly stderrIsTerminal: boolean;
  /** Marks words on standard output: with colour, or not at all. */
  readonly paint: Paint;
  /** Keeps connections to agents from one command to the next. Undefined: each call makes a connection of its own. */
  readonly agents?: AgentConnections;
  /** Standard input has the requests of `luo batch`: no command may read it. */
  readonly inputTaken?: true;
}

/** Connections to agents, each by its key. */
export interface AgentConnections {
  /** Works on the connection that is kept under the key, or on a new one. */
  use<T>(key: string, open: () => AgentClient, work: (client: AgentClient) => T): T;
}

/** The context of a running command: the outside, all routes (for help, completion and the manual page), and a way to run other commands. */
export interface Context extends CommandContext, Outside {
  readonly process: StricliProcess;
  readonly allRoutes: () => Promise<RouteMap<Context>>;
  /** The routes that these words need: only one command, when they name one. */
  readonly routesTo: (words: readonly string[]) => Promise<RouteMap<Context>>;
  /** Runs a command line of which every word is as it was meant, and returns the exit code. */
  readonly runWords: (words: readonly string[], outside: Outside) => Promise<ExitCode | number>;
}
