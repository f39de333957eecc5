/** Wraps help texts: nothing that people read in help and manual page is wider than 80 columns. */

export const HELP_COLUMNS = 80;

/**
 * Fills paragraphs again to `width` columns. A line that begins with a space stays as it is, and so does the end of a line
 * before such a line, before an empty one, and after a colon.
 */
export function wrapText(text: string, width: number = HELP_COLUMNS): string {
  const lines: string[] = [];
  let paragraph: string[] = [];
  const end = () => {
    if (paragraph.length > 0) lines.push(...fill(paragraph.join(" ").split(" "), width));
    paragraph = [];
  };
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith(" ")) {
      end();
      lines.push(line);
      continue;
    }
    paragraph.push(line);
    if (line.endsWith(":")) end();
  }
  end();
  return lines.join("\n");
}

/** Puts as many words on a line as fit; lines after the first are indented. */
export function fill(words: readonly string[], width: number, indent = ""): string[] {
  const lines: string[] = [];
  for (const word of words.filter((word) => word !== "")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else lines.push(last === undefined ? word : `${indent}${word}`);
  }
  return lines;
}

/** Two columns: names, and texts that are wrapped beside them. A long name has a line of its own. */
export function definitions(rows: readonly (readonly [name: string, text: string])[]): string[] {
  const fitting = rows.map(([name]) => name.length).filter((length) => length <= NAME_MAX);
  const column = 2 + Math.max(0, ...fitting) + 2;
  return rows.flatMap(([name, text]) => {
    const beside = fill(text.split(" "), HELP_COLUMNS - column);
    const own = name.length <= NAME_MAX ? [] : [`  ${name}`];
    const first = own.length > 0 ? "" : `  ${name}`;
    return [...own, ...beside.map((line, at) => `${(at === 0 ? first : "").padEnd(column)}${line}`)];
  });
}

const NAME_MAX = 24;
