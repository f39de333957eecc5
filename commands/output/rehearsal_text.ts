/** The result of `luo rehearse IMAGE` as text. */
import type { Rehearsal } from "../../lib/schema/answer_types.ts";
import { size } from "../base/size.ts";
import { COLUMNS, wrap } from "../base/wrap.ts";
import { count, type Paint, visible } from "../base/text.ts";

const VERDICTS: Readonly<
  Record<Rehearsal["verdict"], readonly [words: string, style: "green" | "red" | "yellow"]>
> = {
  fits: ["fits", "green"],
  does_not_fit: ["does not fit", "red"],
  cannot_tell: ["cannot tell", "yellow"],
};

export function rehearsalText(rehearsal: Rehearsal, paint: Paint): string {
  const [words, style] = VERDICTS[rehearsal.verdict];
  const { fromRelease, toRelease, from, image, blackoutMs } = rehearsal;
  return [
    `${paint(style, words)}: ${visible(rehearsal.reason)}`,
    `From       ${visible(from)}${release(fromRelease)}`,
    `To         ${visible(image)}${release(toRelease)}`,
    `Preserved  ${amount(rehearsal)}`,
    `Verified   ${count(rehearsal.verifiedFiles, "file")}, ${size(rehearsal.verifiedBytes)}`,
    ...blackoutMs === undefined ? [] : [`Blackout   ${(blackoutMs / 1000).toFixed(2)} s, emulated`],
    ...rehearsal.problems.map((problem) => `  ${visible(problem)}`),
    "",
    paint("bold", "Console before the kexec"),
    ...consoleText(rehearsal.consoleBefore),
    paint("bold", "Console after the kexec"),
    ...consoleText(rehearsal.consoleAfter),
  ].join("\n");
}

function amount({ sessions, files, bytes, scaled }: Rehearsal): string {
  const shown = `${count(sessions, "session")}, ${count(files, "file")}, ${size(bytes)}`;
  return scaled ? `${shown} (scaled down: the agent holds more)` : shown;
}

function release(name: string | undefined): string {
  return name === undefined ? "" : ` (${visible(name)})`;
}

function consoleText(lines: readonly string[]): string[] {
  return lines.length === 0 ? ["  | nothing"] : lines.flatMap(consoleLine);
}

function consoleLine(line: string): string[] {
  return wrap(visible(line), COLUMNS - 8).map((part, index) =>
    index === 0 ? `  | ${part}` : `  |     ${part}`
  );
}
