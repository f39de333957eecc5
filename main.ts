/** `luo`: argv -> exit code. The only place that reads the arguments and the environment, and that exits. */
import type { Outside } from "./commands/base/context.ts";
import { EXIT } from "./commands/base/exit_codes.ts";
import { versionText } from "./lib/version.ts";

start().then((code) => Deno.exit(code));

async function start(): Promise<number> {
  if (writeVersion()) return EXIT.done;
  const { runLine } = await import("./commands/program/application.ts");
  const { stream } = await import("./commands/output/stream.ts");
  const { colour, plain } = await import("./commands/base/text.ts");
  const closed = () => Deno.exit(EXIT.broken_pipe);
  const stdoutIsTerminal = Deno.stdout.isTerminal();
  const outside: Outside = {
    process: { stdout: stream(Deno.stdout, closed), stderr: stream(Deno.stderr, closed) },
    settings: {
      backend: Deno.env.get("LUO_BACKEND"),
      socket: Deno.env.get("LUO_SOCKET"),
      exe: Deno.env.get("LUO_EXE"),
      faults: Deno.env.get("LUO_FAULTS"),
      runtimeDir: Deno.env.get("XDG_RUNTIME_DIR"),
    },
    mainModule: import.meta.url,
    stdoutIsTerminal,
    stderrIsTerminal: Deno.stderr.isTerminal(),
    // https://no-color.org: set and not empty.
    paint: stdoutIsTerminal && !Deno.env.get("NO_COLOR") ? colour : plain,
  };
  return await runLine(Deno.args, outside);
}

/** What needs no command line: true when it was that. What cannot be written is left to those who know how to say so. */
function writeVersion(): boolean {
  const text = versionText(Deno.args);
  if (text === undefined) return false;
  const bytes = new TextEncoder().encode(text + "\n");
  try {
    return Deno.stdout.writeSync(bytes) === bytes.length;
  } catch {
    return false;
  }
}
