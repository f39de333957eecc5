/** Varlink messages (https://varlink.org/Service): JSON objects, each ended by a NUL. Fds come with them as in sd-varlink. */
import { joined } from "../joined_bytes.ts";

export type Json = Record<string, unknown>;

export interface VarlinkCall {
  readonly method: string;
  readonly parameters: Json;
  readonly more: boolean;
  readonly oneway: boolean;
  readonly upgrade: boolean;
  /** Fds received with the message. The receiver of the call closes them. */
  readonly fds: number[];
}

export interface VarlinkReply {
  parameters?: Json;
  continues?: boolean;
  error?: string | undefined;
}

/** A reply with an error. The handler of a call throws it. */
export class VarlinkError extends Error {
  override readonly name = "VarlinkError";

  readonly error: string;
  readonly parameters: Json;

  /** `error` is the whole name, with the interface. */
  constructor(error: string, parameters: Json = {}) {
    super(error);
    this.error = error;
    this.parameters = parameters;
  }
}

export function invalidParameter(parameter: string): VarlinkError {
  return new VarlinkError("org.varlink.service.InvalidParameter", { parameter });
}

/** The peer sends bytes that are not Varlink. The connection must end. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
}

export interface Message {
  /** Valid until the next piece comes in. */
  bytes: Uint8Array;
  readonly fds: number[];
}

/**
 * Cuts a stream into messages. Fds belong to the last message in a received piece: the kernel ends a read after bytes with
 * fds.
 */
export class Framer {
  #rest: Uint8Array[] = [];
  #length = 0;
  #fds: number[] = [];

  readonly limit_bytes: number;
  readonly limit_fds: number;

  constructor(limit_bytes: number, limit_fds: number) {
    this.limit_bytes = limit_bytes;
    this.limit_fds = limit_fds;
  }

  /** The messages that the piece completes. @throws ProtocolError too long a message, too many fds; call `drop` then */
  push(piece: Uint8Array, fds: number[]): Message[] {
    const messages: Message[] = [];
    const last = piece.lastIndexOf(0, piece.length - 2);
    let from = 0;
    for (let end = piece.indexOf(0); end >= 0; end = piece.indexOf(0, from)) {
      if (from > last) this.#take(fds);
      messages.push({ bytes: this.#completed(piece.subarray(from, end)), fds: this.#fds.splice(0) });
      from = end + 1;
    }
    this.#take(fds);
    this.#append(piece.subarray(from));
    return messages;
  }

  /** The fds of the message that is not complete. The caller closes them. */
  drop(): number[] {
    return this.#fds.splice(0);
  }

  #take(fds: number[]): void {
    this.#fds.push(...fds.splice(0));
    if (this.#fds.length > this.limit_fds) throw new ProtocolError("too many file descriptors");
  }

  #append(piece: Uint8Array): void {
    this.#count(piece);
    if (piece.length > 0) this.#rest.push(piece.slice());
  }

  #count(piece: Uint8Array): void {
    this.#length += piece.length;
    if (this.#length > this.limit_bytes) throw new ProtocolError("message too long");
  }

  /** The message that ends with this piece. Most messages come in one piece, and need no copy. */
  #completed(piece: Uint8Array): Uint8Array {
    this.#count(piece);
    const whole = this.#rest.length === 0 ? piece : joined([...this.#rest, piece]);
    this.#rest = [];
    this.#length = 0;
    return whole;
  }
}

const TO_UTF_8 = new TextEncoder();
const FROM_UTF_8 = new TextDecoder();
const FROM_UTF_8_ONLY = new TextDecoder("utf-8", { fatal: true });

export function encodeMessage(message: object): Uint8Array<ArrayBuffer> {
  return TO_UTF_8.encode(JSON.stringify(message) + "\0");
}

/** Encodes short messages into one buffer: memory that each message allocates anew takes longer than all the rest. */
export class MessageEncoder {
  readonly #buffer = new Uint8Array(4096);

  /** Valid until the next message. */
  encode(message: object): Uint8Array {
    const text = JSON.stringify(message) + "\0";
    // A character of a string has at most three bytes in UTF-8.
    if (3 * text.length > this.#buffer.length) return TO_UTF_8.encode(text);
    return this.#buffer.subarray(0, TO_UTF_8.encodeInto(text, this.#buffer).written);
  }
}

export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parse(bytes: Uint8Array): Json {
  try {
    const value: unknown = JSON.parse(decoded(bytes));
    if (isObject(value)) return value;
  } catch {
    // The error below says enough: the parser's words do not help the peer.
  }
  throw new ProtocolError("not a JSON object");
}

/** @throws TypeError the bytes are not UTF-8 */
function decoded(bytes: Uint8Array): string {
  // A decoder that throws takes three times as long as one that writes U+FFFD.
  const text = FROM_UTF_8.decode(bytes);
  return text.includes("\ufffd") ? FROM_UTF_8_ONLY.decode(bytes) : text;
}

/** The call in a message. @throws ProtocolError */
export function decodeCall({ bytes, fds }: Message): VarlinkCall {
  const { method, parameters: sent, more = false, oneway = false, upgrade = false } = parse(bytes);
  // systemd's C client sends null where a method has no parameters.
  const parameters = sent ?? {};
  if (typeof method !== "string") throw new ProtocolError("no method");
  if (!isObject(parameters)) throw new ProtocolError("parameters are no object");
  if (typeof more !== "boolean" || typeof oneway !== "boolean" || typeof upgrade !== "boolean") {
    throw new ProtocolError("flags are no booleans");
  }
  return { method, parameters, more, oneway, upgrade, fds };
}

/** The reply in a message. @throws ProtocolError */
export function decodeReply(bytes: Uint8Array): VarlinkReply & { parameters: Json } {
  const { parameters: sent, continues = false, error } = parse(bytes);
  const parameters = sent ?? {};
  if (!isObject(parameters)) throw new ProtocolError("parameters are no object");
  if (error !== undefined && typeof error !== "string") throw new ProtocolError("error is no name");
  return { parameters, continues: continues === true, error };
}
