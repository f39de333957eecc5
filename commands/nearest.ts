import { closest, distance } from "fastest-levenshtein";

/** The known name the user most likely meant, or undefined when none is near. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined;
  const candidate = closest(name, known);
  // Two letters in five: "vm1" and "vm2" are near, "cahce" and "cache" (two changes), but not "vm1" and "db1".
  const limit = Math.max(1, Math.floor(Math.max(name.length, candidate.length) * 0.4));
  return distance(name, candidate) <= limit ? candidate : undefined;
}
