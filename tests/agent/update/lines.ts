/** A connection to a socket of the agent, as a program in any language has it: messages that end with one byte, and rubbish. */

export class Lines implements Disposable {
  #rest = "";

  private constructor(readonly connection: Deno.UnixConn, readonly end: string) {}

  /** Waits until somebody listens. @param end the last byte of every message */
  static async connect(path: string, end: string): Promise<Lines> {
    for (let tries = 0; tries < 500; tries++) {
      try {
        return new Lines(await Deno.connect({ transport: "unix", path }), end);
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
    throw new Error(`nobody listens at ${path}`);
  }

  /** The bytes as they are. An agent that has ended the connection does not hear them. */
  async write(text: string): Promise<void> {
    const bytes = new TextEncoder().encode(text);
    try {
      for (let at = 0; at < bytes.length;) at += await this.connection.write(bytes.subarray(at));
    } catch { /* The connection has ended. */ }
  }

  async say(message: object): Promise<void> {
    await this.write(JSON.stringify(message) + this.end);
  }

  /** The next message. Undefined: the connection has ended. */
  async hear(): Promise<Record<string, unknown> | undefined> {
    const into = new Uint8Array(65536);
    while (!this.#rest.includes(this.end)) {
      const got = await this.connection.read(into).catch(() => null);
      if (got === null) return undefined;
      this.#rest += new TextDecoder().decode(into.subarray(0, got));
    }
    const [message = "", ...rest] = this.#rest.split(this.end);
    this.#rest = rest.join(this.end);
    return JSON.parse(message);
  }

  [Symbol.dispose](): void {
    try {
      this.connection.close();
    } catch { /* It is closed. */ }
  }
}
