/** Waits for changes of a directory in another thread. */
import { FdWait } from "./fd_wait.ts";
import { PlaceWatch } from "./place_watch.ts";

export class PlaceChange implements Disposable {
  readonly #place: PlaceWatch;
  readonly #elsewhere = new FdWait();

  /** As that of PlaceWatch. */
  constructor(path: string) {
    this.#place = new PlaceWatch(path);
    this.#elsewhere.add(this.#place.fd);
  }

  /** Settles when a look at the place may find something else, or when the signal is aborted. */
  async next(signal?: AbortSignal): Promise<void> {
    await this.#elsewhere.next(this.#place.step_ms, signal);
    // This also counts a wait in which nothing happened.
    this.#place.wait(0);
  }

  [Symbol.dispose](): void {
    this.#elsewhere[Symbol.dispose]();
    this.#place[Symbol.dispose]();
  }
}
