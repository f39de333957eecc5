/** The method GetStatus: what the agent knows of its kernel, itself, the image, the sessions and the losses. */
import type { AgentState } from "./agent_state.ts";
import { currentImage } from "./image_methods.ts";
import { readText } from "./proc_text.ts";
import type { Status } from "./protocol.ts";
import { unlistedOf } from "./session_list.ts";

/** The agent in its own words. */
export interface AgentIdentity {
  readonly backend: Status["backend"];
  readonly version: string;
  readonly socket: string;
  readonly startedAt: string;
}

export function agentStatus(state: AgentState, identity: AgentIdentity): Status {
  state.device.tryReady();
  const { backend, version, socket, startedAt } = identity;
  const { release, machine } = state.sys.uname();
  const commandLine = readText(state.sys, "/proc/cmdline") ?? "";
  return {
    backend,
    kernel: { release, machine, bootId: state.bootId, commandLine },
    device: state.device.status(),
    agent: {
      pid: state.options.pid,
      version,
      socket,
      startedAt,
      ...(state.store.usage === undefined ? {} : { store: state.store.usage }),
      ...(state.journal.problem === undefined ? {} : { unrecorded: state.journal.problem }),
    },
    image: currentImage(state),
    sessions: state.preserved.withSizesNow(state.sessions()),
    ...unlistedOf(state),
    ...(state.lastUpdate === undefined ? {} : { lastUpdate: state.lastUpdate }),
    ...(state.values.size.count === 0 ? {} : { values: state.values.size }),
    losses: state.losses,
  };
}
