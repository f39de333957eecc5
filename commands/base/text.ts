/** Text for people: sizes, times, tables, colour, and names made safe for a terminal. */
import prettyBytes from "pretty-bytes";

/** Marks text on a terminal. Without colour it returns the text unchanged. */
export type Paint = (style: "bold" | "dim" | "red" | "green" | "yellow", text: string) => string;

const SGR = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 } as const;

/** Marks text with ECMA-48's SGR sequences. `styleText` of node:util would add 8 ms to every start. */
export const colour: Paint = (style, text) => `\x1b[${SGR[style]}m${text}\x1b[0m`;

export const plain: Paint = (_style, text) => text;

/** A size for people: `200 MiB`. */
export function size(bytes: number): string {
  return prettyBytes(bytes, { binary: true });
}

/** A number with its noun: `1 file`, `2 files`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/** A time of RFC 3339 for people: `2026-11-21 05:00:01 UTC`. */
export function time(rfc3339: string): string {
  return rfc3339.replace("T", " ").replace(/(?:\.\d+)?Z$/, " UTC");
}

/** The first digits of a digest, for comparing by eye. */
export function shortDigest(digest: string | undefined): string {
  if (digest === undefined) return "-";
  const [algorithm = "", hex = ""] = digest.split(":");
  return `${algorithm}:${hex.slice(0, 12)}`;
}

/** Columns, left-aligned, two spaces apart; nothing behind the last one. Control characters are shown, not sent. */
export function table(rows: readonly (readonly string[])[]): string {
  const shown = rows.map((row) => row.map(visible));
  const widths: number[] = [];
  for (const row of shown) row.forEach((cell, i) => widths[i] = Math.max(widths[i] ?? 0, cell.length));
  return shown.map((row) => row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join("  ").trimEnd()).join(
    "\n",
  );
}

/** Shows control characters as `\x1b`: names and labels come from others, and their escape sequences must not reach the terminal. */
export function visible(text: string): string {
  // deno-lint-ignore no-control-regex
  const shown = text.replace(/[\x00-\x1f\x7f-\x9f]/g, (c) => escaped(c.charCodeAt(0)));
  // A lone surrogate is a byte of a path that is not UTF-8 (ffi/abi/os_text.ts).
  return shown.isWellFormed()
    ? shown
    : shown.replace(/\p{Surrogate}/gu, (c) => escaped(c.charCodeAt(0) & 0xff));
}

function escaped(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, "0")}`;
}

/** A name as one word of a command line that a user may copy into a shell. */
export function shellWord(text: string): string {
  return /^[\w.,:@%+=/][\w.,:@%+=/-]*$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
