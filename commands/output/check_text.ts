/** A check of the next kernel as people read it. */
import type { Check, CheckLine, CheckVerdict } from "../../lib/schema/types.ts";
import { type Paint, visible } from "../base/text.ts";
import { COLUMNS, wrap } from "../base/wrap.ts";

const WORDS: Readonly<Record<CheckVerdict, readonly [style: "green" | "red" | "yellow", words: string]>> = {
  fits: ["green", "fits"],
  does_not_fit: ["red", "does not fit"],
  cannot_tell: ["yellow", "cannot tell"],
};

const VERDICT_WIDTH = 14;
const CODE_WIDTH = 21;

export function checkText(check: Check, paint: Paint): string {
  const { verdict, release, wraps, lines } = check;
  const [style, words] = WORDS[verdict];
  const from = wraps.length === 0 ? "" : ` (in ${wraps.join(", in ")})`;
  return [
    ...lines.map((line) => lineText(line, paint)),
    `${visible(release ?? "The image")}${visible(from)}: ${paint(style, words)}`,
  ].join("\n");
}

function lineText({ code, verdict, reason, source }: CheckLine, paint: Paint): string {
  const [style, words] = WORDS[verdict];
  const indent = " ".repeat(VERDICT_WIDTH + CODE_WIDTH);
  const text = wrap(`${visible(reason)} [${visible(source)}]`, COLUMNS - indent.length).join(`\n${indent}`);
  const padding = " ".repeat(VERDICT_WIDTH - words.length);
  return `${paint(style, words)}${padding}${code.padEnd(CODE_WIDTH)}${text}`;
}
