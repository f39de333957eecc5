/** Turns the command line of `luo` into an exit code. Only this file reads the arguments and the environment, and exits. */
import type { Outside } from "./commands/base/context.ts";
import type { ServiceVariables } from "./lib/agent/service.ts";
import { EXIT } from "./commands/base/exit_codes.ts";
import { readyHelp } from "./commands/help/ready_help.ts";
import { versionText } from "./lib/version.ts";

start().then((code) => Deno.exit(code));

async function start(): Promise<number> {
  if (writeReadyText()) return EXIT.done;
  const { runLine } = await import("./commands/program/application.ts");
  const { diagnostics, output } = await import("./commands/output/stream.ts");
  const { colour, plain } = await import("./commands/base/text.ts");
  const closed = () => Deno.exit(EXIT.broken_pipe);
  const stdoutIsTerminal = Deno.stdout.isTerminal();
  const outside: Outside = {
    process: { stdout: output(Deno.stdout, closed), stderr: diagnostics(Deno.stderr) },
    settings: {
      backend: await variable("LUO_BACKEND"),
      socket: await variable("LUO_SOCKET"),
      exe: await variable("LUO_EXE"),
      access: await variable("LUO_ACCESS"),
      faults: await variable("LUO_FAULTS"),
      participants: await variable("LUO_PARTICIPANTS"),
      luodSocket: await variable("LUO_LUOD_SOCKET"),
      kernels: await variable("LUO_TEST_KERNELS"),
      config: await variable("LUO_CONFIG"),
      nextKernel: {
        LUO_KERNEL: await variable("LUO_KERNEL"),
        LUO_INITRD: await variable("LUO_INITRD"),
        LUO_CMDLINE: await variable("LUO_CMDLINE"),
        LUO_APPEND: await variable("LUO_APPEND"),
      },
      runtimeDir: await variable("XDG_RUNTIME_DIR"),
      service: await serviceVariables(),
    },
    mainModule: import.meta.url,
    stdoutIsTerminal,
    stderrIsTerminal: Deno.stderr.isTerminal(),
    // NO_COLOR counts when it is set and not empty (https://no-color.org).
    paint: stdoutIsTerminal && !await variable("NO_COLOR") ? colour : plain,
  };
  return await runLine(Deno.args, outside);
}

/** The variables of a service manager, which only a service has. */
async function serviceVariables(): Promise<ServiceVariables | undefined> {
  if (!Deno.env.has("NOTIFY_SOCKET") && !Deno.env.has("LISTEN_PID")) return undefined;
  const { SERVICE_VARIABLES } = await import("./lib/agent/service.ts");
  return Object.fromEntries(SERVICE_VARIABLES.map((name) => [name, Deno.env.get(name)]));
}

/** A variable of the environment. Deno throws for a value that is not UTF-8. */
async function variable(name: string): Promise<string | undefined> {
  try {
    return Deno.env.get(name);
  } catch {
    return (await import("./commands/program/exact_text.ts")).exactVariable(name);
  }
}

/** Answers `--version` and `--help` without loading the commands. False: there is no such answer, or it could not be written. */
function writeReadyText(): boolean {
  const version = versionText(Deno.args);
  const text = version === undefined ? readyHelp(Deno.args) : `${version}\n`;
  if (text === undefined) return false;
  const bytes = new TextEncoder().encode(text);
  try {
    return Deno.stdout.writeSync(bytes) === bytes.length;
  } catch {
    return false;
  }
}
