/** Finds the name that a user meant, and lists the names that exist. */
import { closestMatch } from "leven";

/**
 * The known name that is nearest to a mistyped one, or undefined when none is near. Names that differ in digits alone are not
 * near: `vm2` is another machine than `vm1`, and no slip.
 */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const wordOf = (text: string) => text.replace(/\d+/g, "0");
  const candidates = known.filter((candidate) => wordOf(candidate) !== wordOf(name));
  // Two letters in five: "cahce" is near "cache" (two changes), "db1" is not near "vm1".
  // A name of one letter is near to nothing: "u" is no slip for "s".
  const maxDistance = name.length < 2 ? 0 : Math.max(1, Math.floor(name.length * 0.4));
  return closestMatch(name, candidates, { maxDistance });
}

/** `did you mean "cache"?`, or undefined when no name is near. */
export function suggestion(name: string, known: readonly string[]): string | undefined {
  const candidate = nearest(name, known);
  return candidate === undefined ? undefined : `did you mean "${candidate}"?`;
}

const LISTED_MAX = 10;

/** `sessions: vm1, vm2 and 3 more`, or `none` when there are none. */
export function listing(what: string, known: readonly string[], none: string): string {
  if (known.length === 0) return none;
  const more = known.length - LISTED_MAX;
  return `${what}: ${known.slice(0, LISTED_MAX).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
