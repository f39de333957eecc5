/** Sizes for people. */
import prettyBytes from "pretty-bytes";

/** A size for people: `200 MiB`. */
export function size(bytes: number): string {
  return prettyBytes(bytes, { binary: true });
}
