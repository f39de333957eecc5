/** Text for people: times, colour, and names made safe for a terminal. */

/** Marks text on a terminal. Without colour it returns the text unchanged. */
export type Paint = (style: "bold" | "dim" | "red" | "green" | "yellow", text: string) => string;

const SGR = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 } as const;

/** Marks text with ECMA-48's SGR sequences. `styleText` of node:util would add 8 ms to every start. */
export const colour: Paint = (style, text) => `\x1b[${SGR[style]}m${text}\x1b[0m`;

export const plain: Paint = (_style, text) => text;

/** A number with its noun: `1 file`, `2 files`. */
export function count(number: number, noun: string, plural = `${noun}s`): string {
  return `${number} ${number === 1 ? noun : plural}`;
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

/**
 * Escapes what a terminal does not show as itself: control characters (`\x1b`), and characters that are invisible or turn
 * the writing direction (`\u202e`). Names and labels come from others: they must not steer the terminal or look like another name.
 */
export function visible(text: string): string {
  const shown = text.replace(INVISIBLE, (character) => escaped(character.charCodeAt(0)));
  // A lone surrogate is a byte of a path that is not UTF-8 (ffi/abi/os_text.ts).
  return shown.isWellFormed()
    ? shown
    : shown.replace(/\p{Surrogate}/gu, (c) => escaped(c.charCodeAt(0) & 0xff));
}

/** Joiners (U+200C, U+200D) stay: scripts and emoji need them. */
// deno-lint-ignore no-control-regex
const INVISIBLE = /[\x00-\x1f\x7f-\x9f\xad\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

function escaped(code: number): string {
  const [letter, digits] = code < 0x100 ? ["x", 2] : ["u", 4];
  return `\\${letter}${code.toString(16).padStart(digits, "0")}`;
}

/** A name as one word of a command line that a user may copy into a shell. */
function shellWord(text: string): string {
  return /^[\w.,:@%+=/-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/**
 * A name as the first operand of a command line that a user may copy into a shell. A `--` comes before a name that looks like a
 * flag: the flags of that command line must come before the operand.
 */
export function operand(text: string): string {
  return text.startsWith("-") ? `-- ${shellWord(text)}` : shellWord(text);
}
