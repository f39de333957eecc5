/** Runs `luo emulate` in a directory of its own, with the test's compiled programs and a kernel to load. */
import { standInBzImage } from "../../lib/kexec/bzimage.ts";
import { luoCommand } from "../luo_under_test.ts";

const PROGRAMS = new URL("programs/", import.meta.url).pathname;

export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Whether a program that a test needs is installed. */
export function isInstalled(command: string): boolean {
  try {
    return new Deno.Command(command, { args: ["--version"], stdout: "null", stderr: "null" }).outputSync()
      .success;
  } catch {
    return false;
  }
}

/** A directory with the test's programs, a kernel to load, and `luo emulate` in it. */
export class Lab implements Disposable {
  readonly directory = Deno.makeTempDirSync({ prefix: "luo-emulate-" });
  readonly kernel = `${this.directory}/kernel`;

  constructor() {
    Deno.writeFileSync(this.kernel, standInBzImage({ release: "7.3.4-standin" }));
  }

  /** Compiles programs/NAME.c. Returns the path of the program. */
  compile(name: string, ...flags: string[]): string {
    const path = `${this.directory}/${name}`;
    const { success, stderr } = new Deno.Command("gcc", {
      args: ["-O1", "-pthread", ...flags, "-o", path, `${PROGRAMS}${name}.c`],
    }).outputSync();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    return path;
  }

  command(args: readonly string[]): Deno.Command {
    return luoCommand(["emulate", ...args], {
      cwd: this.directory,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    });
  }

  async emulate(...args: string[]): Promise<Outcome> {
    return await outcome(this.command(args));
  }

  /** Runs any program in the directory. */
  async run(program: string, args: readonly string[]): Promise<Outcome> {
    const options = { cwd: this.directory, stdin: "null", stdout: "piped", stderr: "piped" } as const;
    return await outcome(new Deno.Command(program, { ...options, args: [...args] }));
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.directory, { recursive: true });
  }
}

async function outcome(command: Deno.Command): Promise<Outcome> {
  const { code, stdout, stderr } = await command.output();
  return { code, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
}

/** Processes that have `mark` in their environment. */
export function marked(mark: string): number[] {
  return [...Deno.readDirSync("/proc")].map(({ name }) => Number(name)).filter((pid) => {
    if (!Number.isInteger(pid)) return false;
    try {
      return Deno.readTextFileSync(`/proc/${pid}/environ`).includes(mark);
    } catch {
      return false;
    }
  });
}
