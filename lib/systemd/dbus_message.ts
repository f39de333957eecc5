/** Messages of D-Bus: calls with texts as arguments, and their answers. */
import { DbusError, type Value, ValueReader } from "./dbus_values.ts";

/** A call of a method. */
export interface DbusCall {
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  /** The name of the program on the bus. Without a bus, at systemd's own socket, it is left out. */
  readonly destination?: string;
  readonly texts?: readonly string[];
}

/** An answer. `error` is the name of the error, such as org.freedesktop.DBus.Error.UnknownProperty. */
export interface DbusAnswer {
  readonly serial: number;
  readonly error?: string;
  readonly values: readonly Value[];
}

const [METHOD_CALL, METHOD_RETURN, ERROR] = [1, 2, 3];
/** Header fields: their codes and types. */
const FIELD = { path: 1, interface: 2, member: 3, error: 4, replySerial: 5, destination: 6, signature: 8 };
const LITTLE_ENDIAN = "l".charCodeAt(0);
/** The fixed part of a header: byte order, type, flags, version, length of the body, serial, length of the fields. */
const FIXED_BYTES = 16;
/** The longest message of D-Bus. */
const MESSAGE_MAX = 1 << 27;
const TO_UTF_8 = new TextEncoder();

/** The bytes of a call, in little endian. */
export function encodeCall(call: DbusCall, serial: number): Uint8Array<ArrayBuffer> {
  const { texts = [], destination } = call;
  const body = new Writer();
  for (const text of texts) body.text(text);
  const header = new Writer();
  header.bytes(LITTLE_ENDIAN, METHOD_CALL, 0, 1);
  header.uint32(body.length);
  header.uint32(serial);
  const fields = new Writer();
  fields.field(FIELD.path, "o", call.path);
  fields.field(FIELD.interface, "s", call.interface);
  fields.field(FIELD.member, "s", call.member);
  if (destination !== undefined) fields.field(FIELD.destination, "s", destination);
  if (texts.length > 0) fields.signature(FIELD.signature, "s".repeat(texts.length));
  header.uint32(fields.length);
  header.append(fields);
  header.align(8);
  header.append(body);
  return header.done();
}

class Writer {
  readonly #bytes: number[] = [];

  get length(): number {
    return this.#bytes.length;
  }

  bytes(...values: number[]): void {
    this.#bytes.push(...values);
  }

  align(size: number): void {
    while (this.#bytes.length % size !== 0) this.#bytes.push(0);
  }

  uint32(value: number): void {
    this.align(4);
    this.bytes(value & 0xff, value >> 8 & 0xff, value >> 16 & 0xff, value >>> 24);
  }

  text(value: string): void {
    const bytes = TO_UTF_8.encode(value);
    this.uint32(bytes.length);
    this.bytes(...bytes, 0);
  }

  /** A struct of a code and a variant. */
  field(code: number, type: "o" | "s", value: string): void {
    this.#fieldStart(code, type);
    this.text(value);
  }

  signature(code: number, value: string): void {
    this.#fieldStart(code, "g");
    this.bytes(value.length, ...TO_UTF_8.encode(value), 0);
  }

  #fieldStart(code: number, type: string): void {
    this.align(8);
    this.bytes(code, 1, type.charCodeAt(0), 0);
  }

  /** Appends the bytes of another writer. This writer must be at a multiple of 8. */
  append(other: Writer): void {
    for (const byte of other.#bytes) this.#bytes.push(byte);
  }

  done(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#bytes);
  }
}

/** How many bytes the message at the start has; undefined: not even its header is there. @throws DbusError */
export function messageLength(bytes: Uint8Array): number | undefined {
  if (bytes.length < FIXED_BYTES) return undefined;
  const little = bytes[0] === LITTLE_ENDIAN;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const fields = Math.ceil(view.getUint32(12, little) / 8) * 8;
  const length = FIXED_BYTES + fields + view.getUint32(4, little);
  if (length > MESSAGE_MAX) throw new DbusError("a message is too long");
  return length;
}

/** The answer in a whole message; undefined: it is another message, a signal. @throws DbusError */
export function decodeAnswer(bytes: Uint8Array): DbusAnswer | undefined {
  const type = bytes[1];
  if (type !== METHOD_RETURN && type !== ERROR) return undefined;
  const reader = new ValueReader(bytes, bytes[0] === LITTLE_ENDIAN);
  reader.at = FIXED_BYTES - 4;
  const [list] = reader.values("a(yv)");
  const fields = new Map(pairs(list));
  reader.align(8);
  const values = reader.values(String(fields.get(FIELD.signature) ?? ""));
  const serial = Number(fields.get(FIELD.replySerial));
  return type === ERROR ? { serial, error: String(fields.get(FIELD.error)), values } : { serial, values };
}

function pairs(list: Value | undefined): [Value, Value][] {
  if (!Array.isArray(list)) return [];
  return list.map((pair: Value): [Value, Value] => Array.isArray(pair) ? [pair[0], pair[1]] : [0, 0]);
}
