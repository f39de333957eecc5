/** The context that every command runs in. */
import type { CommandContext, RouteMap, StricliProcess } from "@stricli/core";
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
  /** LUO_FAULTS: the faults to inject into the machine of the model. */
  readonly faults?: string;
  /** LUO_TEST_KERNELS: a directory of kernel images for virtual machines. */
  readonly kernels?: string;
  /** XDG_RUNTIME_DIR. */
  readonly runtimeDir?: string;
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
}

/** The context of a running command: the outside, and all routes (for help, completion and the manual page). */
export interface Context extends CommandContext, Outside {
  readonly process: StricliProcess;
  readonly allRoutes: () => Promise<RouteMap<Context>>;
}
