/** Runs the story of an example, on the model or on the real kernel, and notes when it printed each line. */
import { CHECKOUT, imagePath } from "../vm/images.ts";

export interface Line {
  readonly text: string;
  /** Milliseconds since the story began, by the clock of this host. */
  readonly at_ms: number;
}

export interface Told {
  readonly lines: readonly Line[];
  readonly errors: string;
  readonly code: number;
}

/** A command line, and what its environment has beside that of the tests. */
export interface Command {
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** The single executable under test. The guests read it from the files of this host. */
export const LUO = `${CHECKOUT}/dist/luo`;

/** The story on a real kernel, in a virtual machine. */
export function onLinux(script: string, kernel: string): string[] {
  return [LUO, "rehearse", "--timeout", "1200", "--kernel", imagePath(kernel), "--", `${CHECKOUT}/${script}`];
}

/** The story on the model. */
export function onModel(script: string): string[] {
  return [LUO, "emulate", "--", `${CHECKOUT}/${script}`];
}

/** A story that hangs is ended. Those on Linux end by themselves before that, with the console (`--timeout`). */
const LIMIT_MS = 1_260_000;

/** Runs the story to its end. Each line is also handed to `on_line` when it comes. */
export async function tell({ argv, env = {} }: Command, on_line: (line: Line) => void): Promise<Told> {
  const started = performance.now();
  const [program = "", ...args] = argv;
  const process = new Deno.Command(program, {
    args,
    env: { ...env, PATH: `${CHECKOUT}/dist:${Deno.env.get("PATH")}`, NO_COLOR: "1" },
    signal: AbortSignal.timeout(LIMIT_MS),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const errors = new Response(process.stderr).text();
  const lines: Line[] = [];
  let rest = "";
  for await (const piece of process.stdout.pipeThrough(new TextDecoderStream())) {
    const at_ms = performance.now() - started;
    const texts = (rest + piece).split("\n");
    rest = texts.pop() ?? "";
    for (const text of texts) {
      lines.push({ text, at_ms });
      on_line({ text, at_ms });
    }
  }
  const { code } = await process.status;
  return { lines, errors: await errors, code };
}
