/** Text as a part of HTML and SVG: names and reasons come from others, and must stay text. */
import { visible } from "../base/text.ts";

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** A piece of markup that was made here. */
export class Markup {
  constructor(readonly text: string) {}
}

/** The values that a template may hold: markup stays as it is, everything else becomes text. */
export type Content = Markup | string | number | undefined | readonly Content[];

/** `markup` before a template: its literal parts are markup, what is filled in is escaped unless it is markup. */
export function markup(parts: TemplateStringsArray, ...contents: readonly Content[]): Markup {
  return new Markup(parts.map((part, at) => part + rendered(contents[at])).join(""));
}

function rendered(content: Content): string {
  if (content === undefined) return "";
  if (content instanceof Markup) return content.text;
  if (typeof content === "number") return String(content);
  return typeof content === "string" ? escaped(content) : content.map(rendered).join("");
}

/** Safe as content and as an attribute in quotes. Characters that do not show, or turn the writing, are written out. */
export function escaped(text: string): string {
  return visible(text.toWellFormed()).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}
