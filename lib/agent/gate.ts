/** The gate that every call goes through: it stops what the access rules do not allow, and hides what they do not show. */
import type { Access, Peer } from "./access.ts";
import type { AgentState } from "./agent_state.ts";
import { checkLimited, isNotAllowed, limitedError, limitedStatus } from "./limited_client.ts";
import { sees } from "./access.ts";
import type { MethodName, SessionInfo, Status } from "./protocol.ts";

export class Gate {
  /** @param log takes a line for each refusal: it must bear many of them */
  constructor(readonly access: Access, readonly log: (line: string) => void) {}

  /** Whether the client has all rights. */
  isOpen(peer: Peer): boolean {
    return this.access.rightsOf(peer) === "all";
  }

  /** @throws VarlinkError NotAllowed */
  check(peer: Peer, state: AgentState, name: MethodName, request: object): void {
    const rights = this.access.rightsOf(peer);
    if (rights !== "all") checkLimited(rights, state, name, request);
  }

  /** Which sessions a list for this client has. */
  sees(peer: Peer): (session: SessionInfo) => boolean {
    const rights = this.access.rightsOf(peer);
    return rights === "all" ? () => true : ({ name }) => sees(rights, name);
  }

  status(peer: Peer, status: Status): Status {
    const rights = this.access.rightsOf(peer);
    return rights === "all" ? status : limitedStatus(rights, status);
  }

  /** The error as this client may see it. A refusal of the rules is logged. */
  error(peer: Peer, name: string, error: unknown): unknown {
    if (isNotAllowed(error)) {
      this.log(`Refused ${name} to uid ${peer.uid}, process ${peer.pid}: ${error.parameters.message}`);
    }
    const rights = this.access.rightsOf(peer);
    return rights === "all" ? error : limitedError(rights, error);
  }
}
