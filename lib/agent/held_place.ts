/** The place that a running agent holds by its lock, and how the agent takes it again after its directory was removed and made anew. */
import { close, fstat, lstat } from "../../ffi/file.ts";
import { LuoError } from "../error.ts";
import { type AgentPaths, takePlace } from "./agent_place.ts";

export class HeldPlace implements Disposable {
  readonly #paths: AgentPaths;
  #lock: number;

  /** @throws LuoError as `takePlace` */
  constructor(paths: AgentPaths) {
    this.#paths = paths;
    this.#lock = takePlace(paths);
  }

  /** Whether the locked file is still at its path. Otherwise another agent may hold the place. */
  get isHeld(): boolean {
    const [own, there] = [fstat(this.#lock), lstat(this.#paths.lock)];
    return typeof own !== "number" && typeof there !== "number" && own.ino === there.ino &&
      own.dev === there.dev;
  }

  /** False: the directory is not there, others may enter it, or another agent holds the place. */
  takeAgain(): boolean {
    try {
      const lock = takePlace(this.#paths);
      close(this.#lock);
      this.#lock = lock;
      return true;
    } catch (error) {
      if (error instanceof LuoError) return false;
      throw error;
    }
  }

  [Symbol.dispose](): void {
    close(this.#lock);
  }
}
