/** Values of D-Bus in the bytes of a message: https://dbus.freedesktop.org/doc/dbus-specification.html, "Marshaling". */

/** A decoded value. A variant is the value in it; a struct and an array are lists. */
export type Value = number | bigint | string | boolean | readonly Value[];

/** The bytes are no message that this program understands. */
export class DbusError extends Error {
  override readonly name = "DbusError";
}

const FIXED: Readonly<Record<string, number>> = {
  y: 1,
  b: 4,
  n: 2,
  q: 2,
  i: 4,
  u: 4,
  h: 4,
  x: 8,
  t: 8,
  d: 8,
};
/** An array has at most 64 MiB, and types are nested at most 64 deep. */
const [ARRAY_MAX, DEPTH_MAX] = [1 << 26, 64];
const FROM_UTF_8 = new TextDecoder();

/** Reads values one after another. */
export class ValueReader {
  at = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #little: boolean;

  constructor(bytes: Uint8Array, little: boolean) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#little = little;
  }

  /** All values of a signature. @throws DbusError */
  values(signature: string): Value[] {
    try {
      return types(signature).map((type) => this.#value(type, 0));
    } catch (error) {
      if (error instanceof RangeError) throw new DbusError("a message ends too early");
      throw error;
    }
  }

  /** Skips the padding before a value that begins at a multiple of `size`. */
  align(size: number): void {
    this.at = Math.ceil(this.at / size) * size;
  }

  #value(type: string, depth: number): Value {
    if (depth > DEPTH_MAX) throw new DbusError("values are nested too deep");
    const [kind = ""] = type;
    const size = FIXED[kind];
    if (size !== undefined) return this.#fixed(kind, size);
    if (kind === "s" || kind === "o") return this.#text(this.#uint32());
    if (kind === "g") return this.#text(this.#fixed("y", 1));
    if (kind === "v") return this.#value(types(String(this.#value("g", depth)))[0] ?? "", depth + 1);
    if (kind === "a") return this.#array(type.slice(1), depth + 1);
    if (kind !== "(" && kind !== "{") throw new DbusError(`a value of an unknown type: ${type}`);
    this.align(8);
    return types(type.slice(1, -1)).map((member) => this.#value(member, depth + 1));
  }

  #fixed(kind: string, size: number): number | bigint | boolean {
    this.align(size);
    const at = this.at;
    this.at += size;
    if (kind === "y") return this.#view.getUint8(at);
    if (kind === "n") return this.#view.getInt16(at, this.#little);
    if (kind === "q") return this.#view.getUint16(at, this.#little);
    if (kind === "i") return this.#view.getInt32(at, this.#little);
    if (kind === "x") return this.#view.getBigInt64(at, this.#little);
    if (kind === "t") return this.#view.getBigUint64(at, this.#little);
    if (kind === "d") return this.#view.getFloat64(at, this.#little);
    const number = this.#view.getUint32(at, this.#little);
    return kind === "b" ? number !== 0 : number;
  }

  #uint32(): number {
    return Number(this.#fixed("u", 4));
  }

  /** Text of so many bytes, and a NUL. */
  #text(length: number | bigint | boolean): string {
    const end = this.at + Number(length);
    if (end >= this.#bytes.length) throw new DbusError("a message ends too early");
    const text = FROM_UTF_8.decode(this.#bytes.subarray(this.at, end));
    this.at = end + 1;
    return text;
  }

  #array(type: string, depth: number): Value[] {
    const length = this.#uint32();
    if (length > ARRAY_MAX) throw new DbusError("an array is too long");
    // The padding before the first element does not count, and is there without an element too.
    this.align(alignment(type));
    const end = this.at + length;
    const list: Value[] = [];
    while (this.at < end) list.push(this.#value(type, depth));
    return list;
  }
}

function alignment(type: string): number {
  const [kind = ""] = type;
  if (kind === "(" || kind === "{") return 8;
  return kind === "g" || kind === "v" ? 1 : FIXED[kind] ?? 4;
}

/** The complete types of a signature: `sa{sv}u` has `s`, `a{sv}` and `u`. @throws DbusError */
export function types(signature: string): string[] {
  const list: string[] = [];
  for (let at = 0; at < signature.length;) {
    const end = typeEnd(signature, at);
    list.push(signature.slice(at, end));
    at = end;
  }
  return list;
}

function typeEnd(signature: string, start: number): number {
  let at = start;
  while (signature[at] === "a") at++;
  let open = 0;
  do {
    const kind = signature[at++];
    if (kind === undefined) throw new DbusError(`a signature is not complete: ${signature}`);
    if (kind === "(" || kind === "{") open++;
    if (kind === ")" || kind === "}") open--;
  } while (open > 0);
  return at;
}
