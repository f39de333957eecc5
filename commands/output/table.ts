/** Tables for people. */
import stringWidth from "fast-string-width";
import { visible } from "../base/text.ts";

/**
 * Columns, left-aligned, two spaces apart; no spaces after the last cell. A column is as wide as a terminal shows its widest
 * cell: CJK characters and emoji take two cells, combining characters none. Control characters are escaped.
 */
export function table(rows: readonly (readonly string[])[]): string {
  const shown = rows.map((row) => row.map(visible).map((text) => ({ text, width: cells(text) })));
  const widths: number[] = [];
  for (const row of shown) row.forEach(({ width }, i) => widths[i] = Math.max(widths[i] ?? 0, width));
  const line = (row: (typeof shown)[number]) =>
    row.map(({ text, width }, i) => text + " ".repeat((widths[i] ?? 0) - width)).join("  ").trimEnd();
  return shown.map(line).join("\n");
}

/** The cells that a terminal needs for a text. The package counts a joiner between letters as one cell. */
function cells(text: string): number {
  return stringWidth(text.replace(/\u200c|(?<=\p{L})\u200d(?=\p{L})/gu, ""));
}
