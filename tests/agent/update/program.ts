/** A program that takes part in updates by listening, for tests. */
import assert from "node:assert/strict";
import type { AgentClient } from "../../../lib/agent/client.ts";
import type { Methods } from "../../../lib/agent/protocol.ts";
import type { TestAgent } from "../start.ts";

type Told = NonNullable<Methods["Participate"]["reply"]["event"]>;

/** A program that takes part. */
export class Program implements Disposable {
  readonly #client: AgentClient;
  readonly #replies: ReturnType<AgentClient["more"]>;

  constructor(readonly agent: TestAgent, readonly name: string, request: object = {}) {
    this.#client = agent.connect();
    this.#replies = this.#client.more("Participate", { name, ...request });
    assert.deepEqual(this.#replies.next().value?.reply, {});
  }

  /** Waits for the next event. */
  next(): Told {
    const { event } = this.#replies.next().value?.reply as Methods["Participate"]["reply"];
    assert.ok(event);
    return event;
  }

  answer({ update, event }: Told, answer: "ready" | "veto" | "later", more: object = {}): void {
    using client = this.agent.connect();
    client.call("AnswerEvent", { update, event, participant: this.name, answer, ...more });
  }

  [Symbol.dispose](): void {
    this.#client[Symbol.dispose]();
  }
}
