/** Words of a shell command. */

/** A word that a POSIX shell reads as this text. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
