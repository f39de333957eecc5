/** Captures of real kernels, made by tests/vm/capture_main.ts. */
import { type Capture, decode_capture } from "../../lib/kho/capture.ts";

export const CAPTURES = [
  "7.3.4-none",
  "7.3.4-memfds",
  "7.3.4-chains",
  "7.3.4-second",
  "7.2.12-memfds",
] as const;

export type CaptureName = typeof CAPTURES[number];

export function fixture_bytes(name: CaptureName): Uint8Array {
  return Deno.readFileSync(new URL(`fixtures/${name}.json.gz`, import.meta.url));
}

export function fixture(name: CaptureName): Promise<Capture> {
  return decode_capture(fixture_bytes(name));
}
