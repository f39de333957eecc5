/** A session of the agent itself: the one of the manifest, or of the values. It has no list entry and no client. */
import { LuoError } from "../error.ts";
import type { IncomingSession, OutgoingSession } from "../session.ts";
import type { AgentState } from "./agent_state.ts";
import { incomingManifest } from "./inherit.ts";
import { MANIFEST_SESSION } from "./manifest.ts";

type Host = Pick<AgentState, "device" | "given" | "store" | "keepOrLog" | "options">;

export class OwnSession implements Disposable {
  /** An earlier agent of this boot made it, and the fd store had it. */
  readonly adopted: OutgoingSession | undefined;
  #incoming: IncomingSession | undefined;

  constructor(readonly name: string, readonly host: Host) {
    this.adopted = host.given.own.outgoing.get(name);
    this.#incoming = host.given.own.incoming.get(name);
  }

  /** Makes the session for the next kernel. Undefined without a device. @throws LuoError `open`, `create` */
  make(): OutgoingSession | undefined {
    const { device } = this.host;
    if (!device.begun) return undefined;
    const session = device.use((device) => device.create(this.name));
    this.host.keepOrLog(session);
    return session;
  }

  /** The session that the previous kernel handed over. Undefined: there is none. @throws LuoError `open`, `retrieve` */
  incoming(): IncomingSession | undefined {
    // When an earlier agent made the manifest of this kernel, it had retrieved everything that is the agent's own.
    const wasRead = this.host.given.own.outgoing.has(MANIFEST_SESSION);
    if (this.#incoming !== undefined || wasRead) return this.#incoming;
    this.#incoming = this.host.device.use((device) => incomingManifest(device, this.name));
    if (this.#incoming !== undefined) this.host.keepOrLog(this.#incoming);
    return this.#incoming;
  }

  /** Finishes the session that was handed over, after its content is written elsewhere. */
  finish(): void {
    const session = this.#incoming;
    if (session === undefined) return;
    session.finish();
    this.#incoming = undefined;
    try {
      this.host.store.drop(session);
    } catch (error) {
      if (!(error instanceof LuoError)) throw error;
      this.host.options.log(error.message);
    }
  }

  [Symbol.dispose](): void {
    this.#incoming?.fd[Symbol.dispose]();
  }
}
