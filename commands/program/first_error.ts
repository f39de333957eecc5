/** Standard error with `--json`: stricli writes every mistake of a command line, and an error is one line with one object. */
import type { Outside } from "../base/context.ts";

type Writable = Outside["process"]["stderr"];

/** Passes on the first error, and all that is no error. */
export class FirstError implements Writable {
  readonly #to: Writable;
  #seen = false;

  constructor(to: Writable) {
    this.#to = to;
  }

  write(text: string): void {
    const error = text.startsWith('{"error":');
    if (error && this.#seen) return;
    this.#seen ||= error;
    this.#to.write(text);
  }
}
