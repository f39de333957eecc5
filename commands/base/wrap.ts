/** Breaks text for people into lines. */

/** The widest line that people are shown. */
export const COLUMNS = 120;

/** Lines of at most `width` columns, but for a word that is longer. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else lines.push(word);
  }
  return lines;
}
