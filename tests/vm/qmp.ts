/** QEMU's machine protocol, as much of it as is needed to look at a machine's memory. */

/** Sends the commands one after the other. @throws Error with what QEMU says of one that failed */
export async function qmp(socket: string, commands: readonly Command[]): Promise<void> {
  using connection = await Deno.connect({ transport: "unix", path: socket });
  const input = lines(connection.readable);
  const writer = connection.writable.getWriter();
  await input.next();
  for (const command of [{ execute: "qmp_capabilities" }, ...commands]) {
    await writer.write(new TextEncoder().encode(JSON.stringify(command)));
    await answered(input, command.execute);
  }
}

export interface Command {
  readonly execute: string;
  readonly arguments?: Readonly<Record<string, unknown>>;
}

/** Events come in between. */
async function answered(input: AsyncIterator<string>, name: string): Promise<void> {
  for (;;) {
    const { value, done } = await input.next();
    if (done === true) throw new Error(`QEMU ended at ${name}`);
    const answer: unknown = JSON.parse(value);
    if (typeof answer !== "object" || answer === null) continue;
    if ("error" in answer) throw new Error(`QEMU: ${name}: ${JSON.stringify(answer.error)}`);
    if ("return" in answer) return;
  }
}

async function* lines(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = "";
  for await (const piece of stream.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + piece).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
}
