/** Reads and writes fields of the kernel's structs: little endian, as on both architectures that luo knows. */
import { KhoError } from "./kho_error.ts";

export function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function u64(bytes: Uint8Array, offset: number): bigint {
  return view(bytes).getBigUint64(offset, true);
}

export function u32(bytes: Uint8Array, offset: number): number {
  return view(bytes).getUint32(offset, true);
}

/** A big-endian u32, as in device trees. */
export function u32_big(bytes: Uint8Array, offset: number): number {
  return view(bytes).getUint32(offset);
}

/** Checks the length of bytes. @throws KhoError */
export function exactly(bytes: Uint8Array, size: number, thing: string): Uint8Array {
  if (bytes.length !== size) throw new KhoError(thing, `${bytes.length} bytes, not ${size}`);
  return bytes;
}

/**
 * The bytes of a name up to its NUL, in a field of fixed size. Names of sessions are any bytes, not only UTF-8.
 *
 * @throws KhoError without a NUL, or when a byte after the NUL is not zero
 */
export function name_bytes(bytes: Uint8Array, offset: number, size: number, thing: string): Uint8Array {
  const field = bytes.subarray(offset, offset + size);
  const end = field.indexOf(0);
  if (end < 0) throw new KhoError(thing, `no NUL in its ${size} bytes`);
  if (field.subarray(end).some((byte) => byte !== 0)) throw new KhoError(thing, "bytes after its NUL");
  return field.slice(0, end);
}

/** A string of printable ASCII in a field of fixed size. @throws KhoError */
export function ascii(bytes: Uint8Array, offset: number, size: number, thing: string): string {
  const text = String.fromCharCode(...name_bytes(bytes, offset, size, thing));
  if (!/^[ -~]*$/.test(text)) throw new KhoError(thing, `${JSON.stringify(text)} is not plain text`);
  return text;
}

/** Writes a name into its field. @throws KhoError when the name and its NUL do not fit */
export function put_name(
  into: Uint8Array,
  offset: number,
  size: number,
  name: string | Uint8Array,
  thing: string,
): void {
  const bytes = typeof name === "string" ? new TextEncoder().encode(name) : name;
  if (bytes.length >= size) throw new KhoError(thing, `${bytes.length} bytes and a NUL do not fit ${size}`);
  if (bytes.includes(0)) throw new KhoError(thing, "a NUL inside");
  into.set(bytes, offset);
}

/** The bytes of u64 fields. */
export function words(...values: readonly bigint[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(values.length * 8);
  values.forEach((value, index) => view(bytes).setBigUint64(index * 8, value, true));
  return bytes;
}

/** Concatenates bytes. */
export function join(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
