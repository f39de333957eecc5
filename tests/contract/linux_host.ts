/** Runs the cases of the contract on the Linux kernel under this process. */
import { linux } from "../../lib/linux/system_calls.ts";
import type { UserMemory } from "../../lib/system_calls.ts";
import type { RemoteCalls } from "./calls.ts";
import { decode, encode, Lines, type Reply, type Value, writeLine } from "./wire.ts";
import type { Host, OtherProcess, Paths } from "./world.ts";

/** The host of the cases is this process. `endAll` kills the processes that it has started. */
export class LinuxHost implements Host {
  readonly sys = linux();
  readonly #children = new Set<Child>();
  #spawned = 0;

  constructor(readonly paths: Paths, readonly directory: string) {}

  spawn(): OtherProcess {
    const child = new Child(this.sys.mkfifo, `${this.directory}/child-${Deno.pid}-${this.#spawned++}`);
    this.#children.add(child);
    return child;
  }

  async endAll(): Promise<void> {
    for (const child of this.#children) await child.kill();
    this.#children.clear();
  }
}

/** A Deno process that is driven over two FIFOs, because this process must read and write synchronously. */
class Child implements OtherProcess {
  readonly #process: Deno.ChildProcess;
  readonly #requests: Deno.FsFile;
  readonly #replies: Deno.FsFile;
  readonly #lines: Lines;
  #dead = false;
  readonly sys: RemoteCalls;

  constructor(mkfifo: (path: string, mode: number) => number, path: string) {
    for (const end of ["in", "out"]) {
      const answer = mkfifo(`${path}.${end}`, 0o600);
      if (answer < 0) throw new Error(`Cannot make a FIFO "${path}.${end}" (${answer})`);
    }
    const script = new URL("linux_child.ts", import.meta.url).pathname;
    this.#process = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-check", "-A", script, `${path}.in`, `${path}.out`],
      stdin: "null",
      stdout: "null",
    }).spawn();
    // Each open waits until the child opens the other end.
    this.#requests = Deno.openSync(`${path}.in`, { write: true });
    this.#replies = Deno.openSync(`${path}.out`, { read: true });
    this.#lines = new Lines(this.#replies);
    this.sys = remoteCalls((call, values) => this.#ask(call, values));
  }

  get pid(): number {
    return this.#process.pid;
  }

  async kill(): Promise<void> {
    if (this.#dead) return;
    this.#dead = true;
    this.#process.kill("SIGKILL");
    await this.#process.status;
    this.#requests.close();
    this.#replies.close();
  }

  #ask(call: string, values: Value[]): number {
    writeLine(this.#requests, encode({ call, values }));
    const line = this.#lines.next();
    if (line === undefined) throw new Error("The other process has ended by itself");
    const reply = decode<Reply>(line);
    values.forEach((value, index) => copyBack(value, reply.values[index]));
    return Number(reply.answer);
  }
}

/** Copies the bytes that the call wrote in the other process into the caller's buffer. */
function copyBack(to: Value, from: Value): void {
  const [into, out] = [bytesOf(to), bytesOf(from)];
  if (into !== undefined && out !== undefined) into.set(out);
}

function bytesOf(value: Value): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value;
  return isMemory(value) ? value.bytes : undefined;
}

function isMemory(value: Value): value is UserMemory {
  return typeof value === "object" && value !== null && "writable" in value;
}

function remoteCalls(ask: (call: string, values: Value[]) => number): RemoteCalls {
  return {
    open: (...values) => ask("open", values),
    close: (...values) => ask("close", values),
    ioctl: (...values) => ask("ioctl", values),
    memfd_create: (...values) => ask("memfd_create", values),
    pread: (...values) => ask("pread", values),
    pwrite: (...values) => ask("pwrite", values),
    getpid: () => ask("getpid", []),
    pidfd_open: (...values) => ask("pidfd_open", values),
    pidfd_getfd: (...values) => ask("pidfd_getfd", values),
  };
}
