/** Varlink on a stream (https://varlink.org/Service): JSON objects, each ended by a NUL; file descriptors ride along as with sd-varlink. */

export type Json = Record<string, unknown>;

export interface VarlinkCall {
  readonly method: string;
  readonly parameters: Json;
  readonly more: boolean;
  readonly oneway: boolean;
  readonly upgrade: boolean;
  /** Received with the message; whoever takes the call closes them. */
  readonly fds: number[];
}

export interface VarlinkReply {
  parameters?: Json;
  continues?: boolean;
  error?: string;
}

/** A reply with an error, thrown by whoever handles a call. */
export class VarlinkError extends Error {
  override readonly name = "VarlinkError";

  /** `error` is the whole name, with the interface. */
  constructor(readonly error: string, readonly parameters: Json = {}) {
    super(error);
  }
}

export function invalidParameter(parameter: string): VarlinkError {
  return new VarlinkError("org.varlink.service.InvalidParameter", { parameter });
}

/** What the peer sends is not Varlink: the connection cannot go on. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
}

export interface Message {
  readonly bytes: Uint8Array;
  readonly fds: number[];
}

/** Cuts a stream into messages. Fds belong to the last message that a received piece has bytes of: the kernel ends a read behind them. */
export class Framer {
  #rest: Uint8Array[] = [];
  #length = 0;
  #fds: number[] = [];

  constructor(readonly limit_bytes: number, readonly limit_fds: number) {}

  /** @throws ProtocolError too long a message, too many fds; `drop` is still to be called */
  push(piece: Uint8Array, fds: number[]): Message[] {
    const messages: Message[] = [];
    const last = piece.lastIndexOf(0, piece.length - 2);
    let from = 0;
    for (let end = piece.indexOf(0); end >= 0; end = piece.indexOf(0, from)) {
      if (from > last) this.#take(fds);
      this.#append(piece.subarray(from, end));
      messages.push({ bytes: this.#joined(), fds: this.#fds.splice(0) });
      this.#rest = [];
      this.#length = 0;
      from = end + 1;
    }
    this.#take(fds);
    this.#append(piece.subarray(from));
    return messages;
  }

  /** The fds of a message that will not come to its end. */
  drop(): number[] {
    return this.#fds.splice(0);
  }

  #take(fds: number[]): void {
    this.#fds.push(...fds.splice(0));
    if (this.#fds.length > this.limit_fds) throw new ProtocolError("too many file descriptors");
  }

  #append(piece: Uint8Array): void {
    this.#length += piece.length;
    if (this.#length > this.limit_bytes) throw new ProtocolError("message too long");
    if (piece.length > 0) this.#rest.push(piece.slice());
  }

  #joined(): Uint8Array {
    const whole = new Uint8Array(this.#length);
    let at = 0;
    for (const piece of this.#rest) {
      whole.set(piece, at);
      at += piece.length;
    }
    return whole;
  }
}

export function encodeMessage(message: object): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(message) + "\0");
}

export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parse(bytes: Uint8Array): Json {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (isObject(value)) return value;
  } catch {
    // Said below: neither the parser's words nor the message's bytes are of use to the peer.
  }
  throw new ProtocolError("not a JSON object");
}

/** @throws ProtocolError */
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

/** @throws ProtocolError */
export function decodeReply(bytes: Uint8Array): VarlinkReply & { parameters: Json } {
  const { parameters: sent, continues = false, error } = parse(bytes);
  const parameters = sent ?? {};
  if (!isObject(parameters)) throw new ProtocolError("parameters are no object");
  if (error !== undefined && typeof error !== "string") throw new ProtocolError("error is no name");
  return { parameters, continues: continues === true, error };
}
