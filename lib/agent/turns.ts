/** The turns of the server's handlers: one works at a time, and one that cannot answer yet lets others go first. */
import { orElse, type Soon } from "./soon.ts";

/**
 * A handler throws it when a call had no effect and may succeed a moment later. The server serves other clients meanwhile, and calls
 * the handler again, some seconds long at most. Then `answer` is what it throws.
 */
export class NotYet extends Error {
  constructor(readonly answer: unknown) {
    super("Cannot answer yet");
  }
}

/**
 * How long a call is tried again that could not be answered yet, and how often. Nothing is tried while no client waits. The causes
 * have no event: a busy device (`isTaken` in agent_device.ts), and a session that systemd has not closed yet.
 */
const PATIENCE_MS = 3000;
const RETRY_MS = 50;

/** A call, and the client that made it. */
export interface Patience<Client, Answer> {
  readonly client: Client;
  readonly handler: () => Soon<Answer>;
  /** Whether the answer is still of use. */
  readonly wanted: () => boolean;
  /** Called before each wait; its answer is called after the wait. */
  readonly postpone: () => () => void;
}

/** The work of the server on one client. */
interface Current<Client> {
  readonly client: Client;
  isPostponed: boolean;
  onPostponed: (() => void) | undefined;
}

/** `Client` is what tells clients apart. */
export class Turns<Client> {
  /** Fulfilled when the handlers are done that work or wait for their turn. Undefined: none does. */
  #turn: Promise<unknown> | undefined;
  /** The work on clients whose calls are tried again. */
  readonly #postponed = new Set<Promise<void>>();
  #current: Current<Client> | undefined;
  #failure: { readonly error: unknown } | undefined;

  /** @param failed called when postponed work has thrown: the server may wait for events */
  constructor(readonly failed: () => void) {}

  /** Works on a client, until a call of that client is postponed. @throws what that work, or postponed work, throws */
  untilPostponed(client: Client, start: () => Soon<void>): Soon<void> {
    const current: Current<Client> = { client, isPostponed: false, onPostponed: undefined };
    this.#current = current;
    const work = start();
    return work instanceof Promise ? this.#firstOf(work, current) : this.throwFailure();
  }

  async #firstOf(work: Promise<void>, current: Current<Client>): Promise<void> {
    const postponed = new Promise<void>((resolve) => current.onPostponed = resolve);
    if (!current.isPostponed) await Promise.race([work, postponed]);
    if (current.isPostponed) this.#keep(work);
    this.throwFailure();
  }

  #keep(work: Promise<void>): void {
    const kept = work.catch((error) => {
      this.#failure ??= { error };
      this.failed();
    }).finally(() => this.#postponed.delete(kept));
    this.#postponed.add(kept);
  }

  /** @throws what postponed work threw */
  throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** All postponed work is over. */
  async over(): Promise<void> {
    await Promise.all(this.#postponed);
  }

  /**
   * Lets the handler work, again after each `NotYet`, while its answer is wanted and patience lasts.
   *
   * @throws whatever the handler throws, and the answer of the last `NotYet`, also when the answer is no longer wanted
   */
  patiently<Answer>(patience: Patience<Client, Answer>): Soon<Answer> {
    return orElse(() => this.#inTurn(patience.handler), (error) => {
      if (!(error instanceof NotYet)) throw error;
      return this.#again(patience, error);
    });
  }

  async #again<Answer>(patience: Patience<Client, Answer>, first: NotYet): Promise<Answer> {
    const { client, handler, wanted, postpone } = patience;
    const end = performance.now() + PATIENCE_MS;
    let last = first;
    const attempt = () => {
      // The client may have gone while this call waited: then the call must not take effect.
      if (!wanted()) throw last.answer;
      return handler();
    };
    for (;;) {
      if (!wanted() || performance.now() > end) throw last.answer;
      const resume = postpone();
      this.#notePostponed(client);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      resume();
      try {
        return await this.#inTurn(attempt);
      } catch (error) {
        if (!(error instanceof NotYet)) throw error;
        last = error;
      }
    }
  }

  #notePostponed(client: Client): void {
    if (this.#current?.client !== client) return;
    this.#current.isPostponed = true;
    this.#current.onPostponed?.();
  }

  /** A postponed call may be tried again while another client's call is answered. */
  #inTurn<T>(work: () => Soon<T>): Soon<T> {
    const result = this.#turn === undefined ? work() : this.#turn.then(work);
    if (!(result instanceof Promise)) return result;
    const turn: Promise<void> = result.then(() => {}, () => {}).then(() => {
      if (this.#turn === turn) this.#turn = undefined;
    });
    this.#turn = turn;
    return result;
  }
}
