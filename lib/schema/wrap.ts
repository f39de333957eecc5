/** Sentences as lines of a limited width: for comments in the texts that are made from descriptions. */

/** The words in lines of at most `width` columns, longer ones where a single word is. */
export function wrap(words: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of words.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else lines.push(word);
  }
  return lines;
}
