/** One client at luo-agent's socket: lines of JSON in both directions, with the fd of a session beside some. */
import { Errno } from "../../ffi/abi/errno.ts";
import { close } from "../../ffi/file.ts";
import { recvmsg, sendmsg } from "../../ffi/socket.ts";
import { joined } from "../joined_bytes.ts";

/** The longest line of a client. */
const LINE_MAX = 4096;
const NEWLINE = 10;

/** The commands of luo-agent's clients. */
export type Command =
  | { readonly cmd: "SUBSCRIBE" | "CLAIM"; readonly id: string }
  | { readonly cmd: "READY" };

export class LuodConnection {
  /** Aborted when the connection has ended. */
  readonly #gone = new AbortController();
  #rest: Uint8Array = new Uint8Array(0);

  constructor(readonly fd: number) {}

  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** The lines that have come. Undefined: the client is gone, or sends what is no line. */
  receive(): string[] | undefined {
    const into = new Uint8Array(LINE_MAX);
    const got = recvmsg(this.fd, into, 0);
    if (got === -Errno.EAGAIN || got === -Errno.EINTR) return [];
    if (typeof got === "number" || got.bytes === 0) return undefined;
    const lines: string[] = [];
    let rest = joined([this.#rest, into.subarray(0, got.bytes)]);
    for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE)) {
      lines.push(new TextDecoder().decode(rest.subarray(0, end)));
      rest = rest.subarray(end + 1);
    }
    // A client may leave the newline out: then the object is complete when it can be read.
    const text = new TextDecoder().decode(rest);
    if (commandOf(text) !== undefined) {
      lines.push(text);
      rest = new Uint8Array(0);
    }
    this.#rest = rest.slice();
    return rest.length > LINE_MAX ? undefined : lines;
  }

  /** @throws TypeError the client does not read */
  send(message: object, fds: readonly number[] = []): void {
    const bytes = new TextEncoder().encode(`${JSON.stringify(message)}\n`);
    if (this.gone.aborted || sendmsg(this.fd, bytes, fds) !== bytes.length) {
      throw new TypeError("the client does not read its messages");
    }
  }

  end(): void {
    if (this.gone.aborted) return;
    close(this.fd);
    this.#gone.abort();
  }
}

/** Undefined: it is no command of luo-agent's. */
export function commandOf(line: string): Command | undefined {
  try {
    // Clients in C may send the NUL at the end of a string too.
    const { cmd, id } = JSON.parse(line.replaceAll("\0", ""));
    if (cmd === "READY") return { cmd };
    return (cmd === "SUBSCRIBE" || cmd === "CLAIM") && typeof id === "string" ? { cmd, id } : undefined;
  } catch {
    return undefined;
  }
}
