/** Lines of standard input, each as soon as it is complete. */
import { joined } from "../../lib/joined_bytes.ts";

interface Source {
  read(into: Uint8Array): Promise<number | null>;
}

/** A line without its newline. */
export interface Line {
  /** Undefined: the line is not UTF-8. */
  readonly text: string | undefined;
  /** Counted from 1. */
  readonly number: number;
}

const PIECE_BYTES = 65536;
const NEWLINE = 10;

/** The last line needs no newline. */
export async function* lines(from: Source): AsyncGenerator<Line> {
  const into = new Uint8Array(PIECE_BYTES);
  let rest: Uint8Array[] = [];
  let number = 0;
  const line = (last: Uint8Array): Line => {
    const text = decoded([...rest, last]);
    rest = [];
    return { text, number: ++number };
  };
  for (let got = await from.read(into); got !== null; got = await from.read(into)) {
    let at = 0;
    for (let end = into.indexOf(NEWLINE); end >= 0 && end < got; end = into.indexOf(NEWLINE, at)) {
      yield line(into.slice(at, end));
      at = end + 1;
    }
    if (at < got) rest.push(into.slice(at, got));
  }
  if (rest.length > 0) yield line(new Uint8Array(0));
}

const FROM_UTF_8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function decoded(pieces: readonly Uint8Array[]): string | undefined {
  try {
    return FROM_UTF_8.decode(joined(pieces));
  } catch {
    return undefined;
  }
}
