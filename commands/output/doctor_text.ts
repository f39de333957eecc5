/** The result of `luo doctor` as text. */
import type { Doctor } from "../../lib/schema/answer_types.ts";
import { COLUMNS, wrap } from "../base/wrap.ts";
import { count, type Paint, visible } from "../base/text.ts";

type Verdict = Doctor["findings"][number]["verdict"];

const STYLES: Readonly<Record<Verdict, "green" | "red" | "yellow" | "dim">> = {
  ok: "green",
  warns: "yellow",
  stops: "red",
  unknown: "dim",
};
/** The width of the longest verdict. */
const COLUMN = 7;

export function doctorText({ findings, stopped }: Doctor, paint: Paint): string {
  const lines = findings.flatMap(({ verdict, text, remedy }) => [
    `${paint(STYLES[verdict], verdict.padEnd(COLUMN))}  ${indented(visible(text), COLUMN + 2)}`,
    ...remedy === undefined ? [] : [`${" ".repeat(COLUMN)}  -> ${indented(visible(remedy), COLUMN + 5)}`],
  ]);
  const stopping = findings.filter(({ verdict }) => verdict === "stops").length;
  const conclusion = stopped
    ? `A live update is not possible here: ${count(stopping, "finding")} ${
      stopping === 1 ? "stops" : "stop"
    } it`
    : "Nothing stops a live update here";
  return [...lines, "", paint("bold", conclusion)].join("\n");
}

/** Text whose further lines begin where the first one does. */
function indented(text: string, column: number): string {
  return wrap(text, COLUMNS - column).join(`\n${" ".repeat(column)}`);
}
