/** The turns of the server's handlers: one works at a time, and one that cannot answer yet lets others go first. */

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

export class Turns {
  /** Fulfilled when the handler before is done. */
  #turn: Promise<unknown> = Promise.resolve();
  /** The work on clients whose calls are tried again. */
  readonly #postponed = new Set<Promise<void>>();
  #onPostponed = () => {};
  #failure: { readonly error: unknown } | undefined;

  /** @param failed called when postponed work has thrown: the server may wait for events */
  constructor(readonly failed: () => void) {}

  /** Waits for the work on a client, until a call of that client is postponed. @throws what that work, or postponed work, throws */
  async untilPostponed(work: Promise<void>): Promise<void> {
    const postponed = new Promise<boolean>((resolve) => this.#onPostponed = () => resolve(true));
    if (await Promise.race([work, postponed])) this.#keep(work);
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
   * Lets the handler work, again after each `NotYet`, while `wanted` says so and patience lasts. `postpone` is called before each wait,
   * and its answer after the wait.
   *
   * @throws whatever the handler throws, and the answer of the last `NotYet`, also when the answer is no longer wanted
   */
  async patiently<T>(
    handler: () => Promise<T>,
    wanted: () => boolean,
    postpone: () => () => void,
  ): Promise<T> {
    const end = performance.now() + PATIENCE_MS;
    let refused: NotYet | undefined;
    const attempt = () => {
      // The client may have gone while this call waited: then the call must not take effect.
      if (refused !== undefined && !wanted()) throw refused.answer;
      return handler();
    };
    for (;;) {
      try {
        return await this.#inTurn(attempt);
      } catch (error) {
        if (!(error instanceof NotYet)) throw error;
        if (!wanted() || performance.now() > end) throw error.answer;
        refused = error;
      }
      const resume = postpone();
      this.#onPostponed();
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      resume();
    }
  }

  /** A postponed call may be tried again while another client's call is answered. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => {});
    return result;
  }
}
