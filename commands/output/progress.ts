/** The progress bar of copying and hashing. */
import type { Outside } from "../base/context.ts";
import { size } from "../base/size.ts";

/** Shorter work shows no bar. */
const QUIET_MS = 1000;
const EVERY_MS = 100;
const BAR_CELLS = 30;

/** A bar on standard error, shown on a terminal for work of more than a second. The end of its scope removes it. */
export class Progress implements Disposable {
  #began = Date.now();
  #shown = 0;
  #done = 0;

  constructor(private readonly context: Outside, private verb: string, private total?: bigint | number) {}

  /** Sets the total, when it is known. */
  start(total: bigint | undefined): void {
    this.total = total;
  }

  /** Starts again over the same bytes, for the next step. */
  restart(verb: string): void {
    this.total = this.#done;
    this.verb = verb;
    this.#done = 0;
    this.#began = Date.now();
  }

  advance(bytes: number): void {
    this.#done += bytes;
    if (!this.context.stderrIsTerminal) return;
    const now = Date.now();
    if (now - this.#began < QUIET_MS || now - this.#shown < EVERY_MS) return;
    this.#shown = now;
    this.context.process.stderr.write(
      `\r\x1b[K${progressLine(this.verb, this.#done, now - this.#began, this.total)}`,
    );
  }

  /** Removes the bar. */
  end(): void {
    if (this.#shown > 0) this.context.process.stderr.write("\r\x1b[K");
    this.#shown = 0;
  }

  [Symbol.dispose](): void {
    this.end();
  }
}

/** The text of the bar: `Copying [#####     ]  42%  1.2 GiB of 3 GiB, 800 MiB/s`. */
export function progressLine(
  verb: string,
  done: number,
  elapsed_ms: number,
  total?: bigint | number,
): string {
  const speed = `${size(Math.round(done * 1000 / Math.max(1, elapsed_ms)))}/s`;
  if (total === undefined || Number(total) === 0) return `${verb} ${size(done)}, ${speed}`;
  const part = Math.min(1, done / Number(total));
  const bar = "#".repeat(Math.round(part * BAR_CELLS)).padEnd(BAR_CELLS);
  const percent = String(Math.floor(part * 100)).padStart(3);
  return `${verb} [${bar}] ${percent}%  ${size(done)} of ${size(Number(total))}, ${speed}`;
}
