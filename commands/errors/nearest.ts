/** Finds the name that a user meant. */
import { closestMatch } from "leven";

/** The known name that is nearest to a mistyped one, or undefined when none is near. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  // Two letters in five: "vm1" and "vm2" are near, "cahce" and "cache" (two changes), but not "vm1" and "db1".
  const maxDistance = Math.max(1, Math.floor(name.length * 0.4));
  return closestMatch(name, [...known], { maxDistance });
}
