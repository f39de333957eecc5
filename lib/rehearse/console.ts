/** The serial console of a machine: its lines, and the time at which each one came. */

/** Matches carriage returns, and the escape sequences that the BIOS writes for a terminal. */
// deno-lint-ignore no-control-regex
const TERMINAL_CODES = /\r|\x1b(?:c|\[[0-9;?]*[A-Za-z])/g;

/** A line of the console. */
export interface ConsoleLine {
  readonly text: string;
  /** Milliseconds since the machine was started, by the clock of the host. */
  readonly at_ms: number;
}

/** Collects what the console writes, piece by piece. */
export class Console {
  readonly lines: ConsoleLine[] = [];
  readonly #decoder = new TextDecoder();
  #rest = "";

  readonly on_line: (line: string) => void;

  constructor(on_line: (line: string) => void = () => {}) {
    this.on_line = on_line;
  }

  /** All lines, and the unfinished last one. */
  get text(): string {
    return [...this.lines.map(({ text }) => text), plain(this.#rest)].join("\n");
  }

  take(bytes: Uint8Array, at_ms: number): void {
    const lines = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#add(line, at_ms);
  }

  /** Call this when the machine has ended: the unfinished last line becomes a line. */
  close(at_ms: number): void {
    if (this.#rest !== "") this.#add(this.#rest, at_ms);
    this.#rest = "";
  }

  #add(line: string, at_ms: number): void {
    const text = plain(line);
    this.lines.push({ text, at_ms });
    this.on_line(text);
  }
}

function plain(text: string): string {
  return text.replace(TERMINAL_CODES, "");
}

const [BEFORE_PANIC, TAIL] = [3, 10];

/** The lines that tell how a machine ended: those around the panic, or the last ones. */
export function lastWords(lines: readonly ConsoleLine[]): string[] {
  const said = lines.map(({ text }) => text).filter((text) => text.trim() !== "");
  const panic = said.findIndex((text) => text.includes("Kernel panic"));
  const from = panic < 0 ? said.length - TAIL : panic - BEFORE_PANIC;
  return said.slice(Math.max(0, from)).slice(0, TAIL);
}
