/** The lines about handlers of files other than memfds: the next kernel has those that the running kernel uses now, or may use. */
import type { KernelFacts } from "../image/read_kernel.ts";
import { cannotTell, type CheckLine, doesNotFit, fits } from "./line.ts";
import { fileCount, type PreservedFiles } from "./preserved_files.ts";
import { HUGETLB_HANDLERS, listed, OTHER_HANDLERS, versionsOf } from "./release_formats.ts";
import type { RunningKernel } from "./running_kernel.ts";

type Formats = Pick<KernelFacts, "formats">;
type Writer = Pick<RunningKernel, "release" | "handedOver">;

const AGENT = "the agent";
const EIO = "every open of /dev/liveupdate would give EIO";

/** @param preserved undefined: there is no agent to tell */
export function otherHandlerLines(
  facts: Formats,
  running: Writer,
  preserved?: PreservedFiles,
): CheckLine[] {
  const hugetlb = preserved?.counts.hugetlb ?? 0;
  return [
    ...OTHER_HANDLERS.flatMap((handler) =>
      handlerLine(handler, facts, running, HUGETLB_HANDLERS.includes(handler) ? hugetlb : 0)
    ),
    ...hugetlb > 0 ? namelessLine(hugetlb, running) : [],
    ...preserved === undefined ? [] : [...unknownLine(preserved), ...unlistedLine(preserved)],
  ];
}

/**
 * The line of a handler that the image does not have in a version that both know, and of one that has files now. Files of the others
 * are handed over only when another program preserves some, and the kernel does not tell whether one has.
 */
function handlerLine(
  handler: string,
  { formats }: Formats,
  { handedOver }: Writer,
  files: number,
): CheckLine[] {
  const { value: written = [], source = "" } = handedOver?.otherHandlers ?? {};
  const [ours, known] = [versionsOf(written, handler), versionsOf(formats, handler)];
  if (ours.length === 0) return [];
  const knows = ours.some((one) => known.includes(one));
  const from = `${source}; the image`;
  if (files === 0) {
    const reason =
      `a file of the handler ${listed(ours)} may be preserved, and the image knows ${listed(known)}: ` +
      `with such a file, ${EIO}`;
    return knows ? [] : [cannotTell("file_handlers", reason, from)];
  }
  const both = `${listed(ours)} is handed over (${fileCount(files)} now), the image knows ${listed(known)}`;
  const line = knows ? fits("file_handlers", both, `${AGENT}; ${from}`) : doesNotFit(
    "file_handlers",
    `${both}: ${EIO}, and all preserved data would be lost`,
    `${AGENT}; ${from}`,
  );
  return [line];
}

/** Files with huge pages, when the name of their handler is in none of the places that luo reads. */
function namelessLine(files: number, { release, handedOver }: Writer): CheckLine[] {
  const { value: written = [] } = handedOver?.otherHandlers ?? {};
  if (HUGETLB_HANDLERS.some((handler) => versionsOf(written, handler).length > 0)) return [];
  const reason = `${
    fileCount(files)
  } with huge pages are preserved, and the name of their handler in kernel ${release} is not known`;
  return [cannotTell("file_handlers", reason, `${AGENT}; no image of the running kernel`)];
}

function unknownLine({ counts: { unknown } }: PreservedFiles): CheckLine[] {
  if (unknown === 0) return [];
  const reason = `${
    fileCount(unknown)
  } of a kind that luo does not know are preserved: whether the image has the handler cannot be told`;
  return [cannotTell("file_handlers", reason, AGENT)];
}

const NAMES_MAX = 3;

/** Nothing is known of these files, not even whether there are any. The line does not decide. */
function unlistedLine({ unlisted }: PreservedFiles): CheckLine[] {
  if (unlisted.length === 0) return [];
  const names = unlisted.slice(0, NAMES_MAX).map((name) => `"${name}"`).join(", ");
  const more = unlisted.length > NAMES_MAX ? ` and ${unlisted.length - NAMES_MAX} more` : "";
  const reason =
    `other programs may have preserved files in session ${names}${more}: those that are no memfds need their handler in the image`;
  return [cannotTell("unlisted_files", reason, AGENT)];
}
