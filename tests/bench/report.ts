/** The rows of docs/performance.md: what was measured, against what, the target, and how a section of the document is written. */

/** One line of the document. Cells are short: `WIDTHS` has the limits. */
export interface Row {
  readonly what: string;
  /** The other thing of the comparison, measured in the same run. */
  readonly against: string;
  readonly target: string;
  readonly measured: string;
  readonly met: boolean;
  /** Why the target is not met: sentences for the document. They are shown only then. */
  readonly why?: string;
}

/** A part of the document: `deno run -A tests/bench/main.ts NAME` measures it alone. */
export interface Section {
  readonly name: string;
  readonly title: string;
  /** Sentences that say how the section's rows are measured. */
  readonly about: string;
  readonly rows: () => Promise<Row[]>;
}

/** The most characters of each cell, so that a line has at most 120. */
const WIDTHS = { what: 35, against: 26, target: 15, measured: 31 } as const;
type Cell = keyof typeof WIDTHS;
const CELLS = Object.keys(WIDTHS) as Cell[];

/** The text of a section, from its heading on, as `deno fmt` would leave it. */
export function sectionText({ title, about }: Section, rows: readonly Row[]): string {
  const heads = Object.fromEntries(CELLS.map((cell) => [cell, cell])) as Record<Cell, string>;
  const lines = [heads, ...rows.map(checked)];
  const widths = CELLS.map((cell) => Math.max(3, ...lines.map((line) => line[cell].length)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((text, index) => text.padEnd(widths[index] ?? 0)).join(" | ")} |`;
  const [head = "", ...body] = lines.map((row) => line(CELLS.map((cell) => row[cell])));
  const rule = line(widths.map((width) => "-".repeat(width)));
  const missed = rows.filter(({ met }) => !met).map(({ what, why }) =>
    wrapped(`- ${what}: ${why ?? "the reason is not known."}`, "  ")
  );
  const misses = missed.length === 0 ? [] : ["Targets that this run did not meet:", "", ...missed, ""];
  return [`## ${title}`, "", wrapped(about), "", head, rule, ...body, "", ...misses].join("\n");
}

/** @throws RangeError a cell is too long for the document */
function checked(row: Row): Record<Cell, string> {
  const shown = { ...row, measured: row.met ? row.measured : `${row.measured} (no)` };
  for (const cell of CELLS) {
    if (shown[cell].length > WIDTHS[cell]) {
      throw new RangeError(`"${shown[cell]}" is longer than ${WIDTHS[cell]} characters`);
    }
  }
  return shown;
}

const LINE_WIDTH = 110;

function wrapped(text: string, indent = ""): string {
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= LINE_WIDTH) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else {
      lines.push(lines.length === 0 ? word : indent + word);
    }
  }
  return lines.join("\n");
}

/** The document with the new text of a section in the place of its old one, or at the end. */
export function withSection(document: string, title: string, text: string): string {
  const parts = document.trimEnd().split(/\n(?=## )/);
  const at = parts.findIndex((part) => part.startsWith(`## ${title}\n`));
  const now = at < 0 ? [...parts, text] : parts.with(at, text);
  return `${now.map((part) => part.trimEnd()).join("\n\n")}\n`;
}

/** Repeated measurements of one thing. */
export class Samples {
  readonly #sorted: readonly number[];

  constructor(values: readonly number[]) {
    this.#sorted = values.toSorted((one, other) => one - other);
  }

  get median(): number {
    return this.#sorted[this.#sorted.length >> 1] ?? NaN;
  }

  /** The median and, in parentheses, the lowest and the highest. */
  text(format: (value: number) => string): string {
    const [low = NaN, high = NaN] = [this.#sorted[0], this.#sorted.at(-1)];
    return `${format(this.median)} (${bare(format(low))} to ${bare(format(high))})`;
  }
}

/** A number without its unit: the median before it has the unit. */
function bare(text: string): string {
  return text.replace(/[^\d.,]*$/, "").replace(/(\d)(?:x|\/s|\s?[a-zA-Z]+)$/, "$1");
}

export function times(ratio: number): string {
  return `${ratio < 10 ? ratio.toFixed(2) : ratio.toFixed(0)}x`;
}

export function perSecond(rate: number): string {
  return `${Math.round(rate).toLocaleString("en")}/s`;
}

/**
 * Measures both in turns, so that a load of the machine that comes and goes meets both, and gives the ratios of the pairs.
 */
export async function ratios(
  count: number,
  measured: () => number | Promise<number>,
  against: () => number | Promise<number>,
): Promise<Samples> {
  const found: number[] = [];
  for (let pair = 0; pair < count; pair++) {
    const base = await against();
    found.push(await measured() / base);
  }
  return new Samples(found);
}
