/** How a system call and its answer cross a pipe to another process, as JSON. */
import type { UserMemory } from "../../lib/system_calls.ts";

/** An argument or answer of a system call. JSON objects mark bigints and bytes. */
export type Value = number | bigint | string | null | undefined | Uint8Array | UserMemory;

export interface Request {
  readonly call: string;
  readonly values: Value[];
}

/** `values` are the arguments after the call, which may have written into them. */
export interface Reply {
  readonly answer: Value;
  readonly values: Value[];
}

export function encode(message: Request | Reply): string {
  return JSON.stringify(message, (_, value: unknown) => {
    if (typeof value === "bigint") return { bigint: String(value) };
    if (value instanceof Uint8Array) return { bytes: value.toHex() };
    return value;
  });
}

export function decode<T extends Request | Reply>(line: string): T {
  return JSON.parse(line, (_, value: unknown) => {
    if (typeof value !== "object" || value === null) return value;
    if ("bigint" in value && typeof value.bigint === "string") return BigInt(value.bigint);
    if ("bytes" in value && typeof value.bytes === "string") return Uint8Array.fromHex(value.bytes);
    return value;
  });
}

/** Reads lines from a file synchronously; `next` is undefined at the end. */
export class Lines {
  #rest = "";
  readonly #decoder = new TextDecoder();

  constructor(readonly file: Deno.FsFile) {}

  next(): string | undefined {
    const piece = new Uint8Array(65536);
    while (!this.#rest.includes("\n")) {
      const got = this.file.readSync(piece);
      if (got === null) return undefined;
      this.#rest += this.#decoder.decode(piece.subarray(0, got), { stream: true });
    }
    const end = this.#rest.indexOf("\n");
    const line = this.#rest.slice(0, end);
    this.#rest = this.#rest.slice(end + 1);
    return line;
  }
}

export function writeLine(file: Deno.FsFile, line: string): void {
  const bytes = new TextEncoder().encode(line + "\n");
  for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
}
