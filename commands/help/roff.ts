/** The parts of a manual page, in the format of man(7). */

/** A page of the manual. */
export interface ManPage {
  /** Without its section: `luo-session`. */
  readonly name: string;
  readonly section: 1 | 5 | 8;
  /** The text for man(1). */
  readonly text: string;
}

/** A heading and the lines below. */
export type Section = readonly [heading: string, lines: readonly string[]];

/** The whole text of a page. There is no date in it: the same version gives the same bytes. */
export function pageText(
  { name, section }: Pick<ManPage, "name" | "section">,
  version: string,
  sections: readonly Section[],
): string {
  return [
    `.TH ${name.toUpperCase().replaceAll("-", "\\-")} ${section} "" "luo ${version}" "Live update"`,
    ...sections.flatMap(([heading, lines]) => [`.SH ${heading}`, ...lines]),
    "",
  ].join("\n");
}

/** Escapes a line for roff: hyphens stay hyphens, and the line is no control line. */
export function escape(line: string): string {
  const text = line.replaceAll("\\", "\\e").replaceAll("-", "\\-");
  return /^[.']/.test(text) ? `\\&${text}` : text;
}

/** Names in bold, each with its meaning. */
export function terms(rows: readonly (readonly [name: string, meaning: string])[]): string[] {
  return rows.flatMap(([name, meaning]) => [".TP", `.B ${escape(name)}`, escape(meaning)]);
}

/** Paragraphs that man(1) fills. */
export function paragraphs(texts: readonly string[]): string[] {
  return texts.flatMap((text) => [".PP", escape(text)]);
}

/** Lines that stay as they are. */
export function verbatim(lines: readonly string[]): string[] {
  return [".nf", ...lines.map(escape), ".fi"];
}

/** Other pages of the manual: `luo.conf(5)`. */
export function references(pages: readonly string[]): string[] {
  return pages.map((page, index) => {
    const [, name = page, section = ""] = /^(.*)(\(\d\))$/.exec(page) ?? [];
    return `.BR ${escape(name)} ${section}${index < pages.length - 1 ? "," : ""}`;
  });
}
