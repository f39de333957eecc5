/** Quotes words for bash, zsh and fish. */

export function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
