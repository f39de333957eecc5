/**
 * `deno run -A tests/vm/run.ts [--kernel IMAGE] [--memory MIB] [--timeout SECONDS] [--append WORDS] [--results DIR] -- COMMAND...`
 *
 * Runs a command on a kernel with LUO in a virtual machine and exits with its status. A second command for the boot after a
 * kexec follows after another `--`. One word is a shell command; several are quoted.
 */
import { MissingTool } from "./tools.ts";
import { runInVm, VmError } from "./vm.ts";

function parse(args: readonly string[]): { options: Map<string, string>; commands: string[] } {
  const start = args.indexOf("--");
  if (start < 0) throw new TypeError(`Cannot run nothing: say what after "--"`);
  const options = new Map<string, string>();
  for (let i = 0; i < start; i += 2) options.set(args[i] ?? "", args[i + 1] ?? "");
  const commands: string[][] = [];
  for (const word of args.slice(start)) {
    if (word === "--") commands.push([]);
    else commands.at(-1)?.push(word);
  }
  return {
    options,
    commands: commands.map((words) => words.length === 1 ? words.join("") : words.map(quote).join(" ")),
  };
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

if (import.meta.main) {
  try {
    const { options, commands } = parse(Deno.args);
    const result = await runInVm({
      commands,
      kernel: options.get("--kernel"),
      append: options.get("--append"),
      results_dir: options.get("--results"),
      memory_mib: Number(options.get("--memory") ?? 2048),
      timeout_ms: 1000 * Number(options.get("--timeout") ?? 540),
      on_line: (line) => console.log(line),
    });
    Deno.exit(result.status);
  } catch (error) {
    if (!(error instanceof MissingTool || error instanceof VmError || error instanceof TypeError)) {
      throw error;
    }
    console.error(error.message);
    Deno.exit(1);
  }
}
