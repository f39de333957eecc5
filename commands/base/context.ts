import type { CommandContext, RouteMap, StricliProcess } from "@stricli/core";
import type { Paint } from "./text.ts";

export type Backend = "linux" | "model";

/** What the environment says, read once by `main.ts`. */
export interface Settings {
  /** LUO_BACKEND. */
  readonly backend?: string;
  /** LUO_SOCKET. */
  readonly socket?: string;
  /** LUO_EXE: an executable that is `luo` itself. */
  readonly exe?: string;
  /** LUO_FAULTS: what is to go wrong in the machine of the model. */
  readonly faults?: string;
  /** XDG_RUNTIME_DIR. */
  readonly runtimeDir?: string;
}

/** What a command may use of the outside. Made by `main.ts`, or by a test. */
export interface Outside {
  readonly process: StricliProcess;
  readonly settings: Settings;
  /** The file `main.ts` was started from, for starting itself again. */
  readonly mainModule: string;
  readonly stdoutIsTerminal: boolean;
  readonly stderrIsTerminal: boolean;
  /** Colour for standard output, or none. */
  readonly paint: Paint;
}

/** What a command is called with: the outside, and all routes, for help, completion and the manual page. */
export interface Context extends CommandContext, Outside {
  readonly process: StricliProcess;
  readonly allRoutes: () => Promise<RouteMap<Context>>;
}
