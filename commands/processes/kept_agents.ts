/** Connections to agents that are kept from one command of a batch to the next. */
import { type AgentClient, AgentError } from "../../lib/agent/client.ts";
import type { AgentConnections } from "../base/context.ts";

export class KeptAgents implements AgentConnections, Disposable {
  readonly #kept = new Map<string, AgentClient>();

  /** Works on the kept connection, or on a new one when there is none or the agent has ended it. */
  use<T>(key: string, open: () => AgentClient, work: (client: AgentClient) => T): T {
    const client = this.#take(key) ?? open();
    try {
      const answer = work(client);
      this.#kept.set(key, client);
      return answer;
    } catch (error) {
      // After an error of the agent the connection goes on. After any other an answer may still come, to a question of before.
      if (error instanceof AgentError) this.#kept.set(key, client);
      else client[Symbol.dispose]();
      throw error;
    }
  }

  #take(key: string): AgentClient | undefined {
    const client = this.#kept.get(key);
    this.#kept.delete(key);
    if (!client?.ended) return client;
    client[Symbol.dispose]();
    return undefined;
  }

  [Symbol.dispose](): void {
    for (const client of this.#kept.values()) client[Symbol.dispose]();
    this.#kept.clear();
  }
}
