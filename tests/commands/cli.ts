/** The real `luo` in real processes, for tests. */
import assert from "node:assert/strict";
import { standInBzImage } from "../../lib/kexec/bzimage.ts";
import { LUO, luoCommand } from "../luo_under_test.ts";
import { assertAnswer, commandOf } from "../schema/assert_answer.ts";

export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  /** Written to standard input. Without it, standard input is /dev/null. */
  readonly stdin?: Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
}

/** The real `luo` in real processes, on a model of its own in a private directory. */
export class Cli implements AsyncDisposable {
  readonly dir = Deno.makeTempDirSync({ prefix: "luo-cli-" });
  readonly socket: string;
  /** A kernel image to load. */
  readonly kernel = this.file("kernel", standInBzImage({ release: "7.3.4-standin" }));

  /** @param below the directory of the agent's socket, inside of ours */
  constructor(below = ".") {
    this.socket = below === "." ? this.path("s") : this.path(`${below}/s`);
  }

  path(name: string): string {
    return `${this.dir}/${name}`;
  }

  /** Makes a file and returns its path. */
  file(name: string, contents: Uint8Array | string): string {
    const bytes = typeof contents === "string" ? new TextEncoder().encode(contents) : contents;
    Deno.writeFileSync(this.path(name), bytes);
    return this.path(name);
  }

  get env(): Record<string, string> {
    return { LUO_BACKEND: "model", LUO_SOCKET: this.socket };
  }

  /** The words before the arguments: `deno run ... main.ts`, or the single executable. */
  get commandLine(): string[] {
    return [...LUO];
  }

  async luo(args: readonly string[], { stdin, env = {} }: RunOptions = {}): Promise<Outcome> {
    const child = luoCommand(args, {
      cwd: this.dir,
      env: { ...this.env, ...env },
      stdin: stdin === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    if (stdin !== undefined) {
      const writer = child.stdin.getWriter();
      // The command can end before it has read its whole input.
      await writer.write(stdin).then(() => writer.close()).catch(() => {});
    }
    const { code, stdout, stderr } = await child.output();
    const outcome = { code, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
    if (args.includes("--json")) holdToSchema(args, outcome);
    return outcome;
  }

  /** A shell script in which `luo` is a command and $D the directory. */
  async shell(script: string): Promise<Outcome> {
    const quoted = this.commandLine.map((word) => `'${word}'`).join(" ");
    const { code, stdout, stderr } = await new Deno.Command("bash", {
      args: ["-c", `luo() { ${quoted} "$@"; }; ${script}`],
      cwd: this.dir,
      env: { ...this.env, D: this.dir, IMAGE: this.kernel },
      stdin: "null",
    }).output();
    return { code, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
  }

  /** Runs it and expects success. */
  async ok(args: readonly string[], options?: RunOptions): Promise<string> {
    const { code, out, err } = await this.luo(args, options);
    assert.equal(code, 0, `luo ${args.join(" ")} ended with ${code}: ${err}`);
    return out;
  }

  /** Runs it with --json and expects success. */
  async json<Result>(args: readonly string[], options?: RunOptions): Promise<Result> {
    const result: Result = JSON.parse(await this.ok([...args, "--json"], options));
    return result;
  }

  /** Runs it and expects this exit code and these words on standard error. */
  async fails(code: number, words: RegExp, args: readonly string[], options?: RunOptions): Promise<void> {
    const outcome = await this.luo(args, options);
    assert.equal(outcome.code, code, `luo ${args.join(" ")}: ${outcome.err}`);
    assert.match(outcome.err, words);
    assert.equal(outcome.out, "");
  }

  /** A whole live update to the stand-in kernel. */
  async kexec(): Promise<void> {
    await this.ok(["kexec", "load", this.kernel, "--command-line", "liveupdate=on kho=on"]);
    await this.ok(["kexec", "exec"]);
  }

  /** Ends the processes of this directory, and removes the directory. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const pid of this.processes()) {
      try {
        Deno.kill(pid, "SIGKILL");
      } catch { /* The process has ended. */ }
    }
    await this.ended();
    Deno.removeSync(this.dir, { recursive: true });
  }

  /** Waits until the processes of agent and machine have ended. */
  async ended(): Promise<void> {
    for (const end = Date.now() + 120_000; this.processes().length > 0;) {
      assert.ok(Date.now() < end, `processes ${this.processes()} do not end`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** The processes of agent and machine: those that name our socket. */
  processes(kind?: "agent" | "machine"): number[] {
    const found: number[] = [];
    for (const { name } of Deno.readDirSync("/proc")) {
      if (!/^\d+$/.test(name)) continue;
      try {
        const words = Deno.readTextFileSync(`/proc/${name}/cmdline`).split("\0");
        if (words.includes(this.socket) && (kind === undefined || words.includes(kind))) {
          found.push(Number(name));
        }
      } catch { /* The process has ended. */ }
    }
    return found;
  }
}

/** Every object that a command of any test prints is what `luo schema` says, errors too. */
function holdToSchema(args: readonly string[], { out, err }: Outcome): void {
  for (const line of out.split("\n").filter(Boolean)) assertAnswer(commandOf(args), JSON.parse(line));
  for (const line of err.split("\n")) if (line.startsWith("{")) assertAnswer("error", JSON.parse(line));
}
