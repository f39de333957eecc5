/** A child process whose output is read without blocking, and that ends when luo ends, however luo ends. */
import { F_SETFL, O_CLOEXEC, O_NONBLOCK } from "../../ffi/abi/fcntl.ts";
import { fcntl, pipe2, read } from "../../ffi/file.ts";
import { pidfd_open } from "../../ffi/process.ts";
import { spawn_with } from "../../ffi/spawn.ts";
import { waitpid, WNOHANG } from "../../ffi/tracee.ts";
import { check } from "../error.ts";
import { HostFd } from "../files/host_fd.ts";
import { inheritedEnvironment } from "../files/inherited_environment.ts";
import { joined } from "../joined_bytes.ts";

/**
 * Runs the program in the background and kills it when standard input ends. luo holds the other end of this pipe, and the kernel
 * closes that end when luo ends. The shell's exit code is the program's.
 */
const GUARD = `exec 3<&0
"$@" </dev/null 3<&- & child=$!
{ read -r _ <&3; kill -9 $child; } 2>/dev/null & guard=$!
exec 3<&-
wait $child; code=$?
kill $guard 2>/dev/null
exit $code`;

const PIECE_BYTES = 1 << 16;

/** A running program. */
export class GuardedProcess implements Disposable {
  readonly #pid: number;
  readonly #end: HostFd;
  readonly #life: HostFd;
  readonly #output: readonly HostFd[];
  #ended = false;

  /** @throws LuoError `start` */
  constructor(argv: readonly string[]) {
    const [life, output, errors] = [pipe(), pipe(), pipe()];
    const pid = spawn_with({
      path: "/bin/sh",
      argv: ["sh", "-c", GUARD, "sh", ...argv],
      env: inheritedEnvironment(),
      fds: [[life.read.number, 0], [output.write.number, 1], [errors.write.number, 2]],
      apart: true,
    });
    for (const end of [life.read, output.write, errors.write]) end[Symbol.dispose]();
    this.#life = life.write;
    this.#output = [output.read, errors.read];
    for (const { number } of this.#output) fcntl(number, F_SETFL, O_NONBLOCK);
    this.#pid = check(pid, "start", JSON.stringify(argv[0] ?? ""));
    this.#end = new HostFd(check(pidfd_open(pid), "pidfd_open", `process ${pid}`));
  }

  /** Can be read when the program has ended. */
  get endFd(): number {
    return this.#end.number;
  }

  /** The pipes of standard output and standard error. */
  get outputFds(): number[] {
    return this.#output.map(({ number }) => number);
  }

  /** The new bytes on standard output, or on standard error, since the last call. */
  read(stream: "output" | "errors"): Uint8Array {
    const fd = this.#output[stream === "output" ? 0 : 1];
    const pieces: Uint8Array[] = [];
    for (;;) {
      const piece = new Uint8Array(PIECE_BYTES);
      const length = fd === undefined ? 0 : read(fd.number, piece);
      if (length <= 0) break;
      pieces.push(piece.subarray(0, length));
    }
    return joined(pieces);
  }

  /** Whether the program has ended. Its last output can still be read. */
  ended(): boolean {
    if (this.#ended) return true;
    const found = waitpid(this.#pid, WNOHANG);
    this.#ended = typeof found === "number" || found.pid === this.#pid;
    return this.#ended;
  }

  /** Kills the program and waits for its end. */
  [Symbol.dispose](): void {
    this.#life[Symbol.dispose]();
    if (!this.#ended) waitpid(this.#pid, 0);
    this.#ended = true;
    for (const fd of [...this.#output, this.#end]) fd[Symbol.dispose]();
  }
}

function pipe(): { read: HostFd; write: HostFd } {
  const [read, write] = check<[number, number]>(pipe2(O_CLOEXEC), "make", "a pipe");
  return { read: new HostFd(read), write: new HostFd(write) };
}
