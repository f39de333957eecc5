/**
 * `LUO_TEST_ARCHITECTURE=aarch64 deno task test:emulate [NAME...]`: native programs of tests/emulate/programs under `luo emulate` in a
 * virtual machine of that architecture, and their output beside that of Linux. Exit status 1 when one differs.
 */
import { testArchitecture } from "./architecture.ts";
import { CHECKOUT } from "./images.ts";
import { MissingTool } from "./tools.ts";
import { runInVm, VmError } from "./vm.ts";

const ARCHITECTURE = testArchitecture();
const PROGRAMS = `${CHECKOUT}/tests/emulate/programs`;

interface Program {
  readonly name: string;
  readonly options: string;
  readonly code: number;
  /** What it prints; undefined: as NAME.linux has it. */
  readonly says?: string;
}

/**
 * The outputs of the other programs were recorded on x86-64, and arm64 answers otherwise: O_LARGEFILE has another value (maps, ways,
 * tables), and an Image is judged neither by its length nor with a command line of 2 KiB (kexec_arguments). emulate.sh gives every
 * program the kernel as its argument: tables takes an argument for an fd.
 */
const ALL: readonly Program[] = [
  {
    name: "update",
    options: "",
    code: 42,
    says: `boot 1: preserved
boot 2: 12289 bytes at 1234: state of the guest, written afterwards
cloexec 1, links 0, mode 777
`,
  },
  ...[
    "kinds_of_fd",
    "names",
    "sizes_of_structs",
    "roots",
    "capabilities",
    "users",
    "sizes",
    "numbers",
    "interruptions",
  ].map((name) => ({ name, options: "--strict", code: 0 })),
  { name: "leftovers", options: "", code: 0 },
  { name: "device_names", options: "", code: 0 },
];

/** A static program for the virtual machine. */
async function compile(name: string, directory: string): Promise<Uint8Array> {
  const compiler = ARCHITECTURE === Deno.build.arch ? "gcc" : `${ARCHITECTURE}-linux-gnu-gcc`;
  const target = `${directory}/${name}`;
  const args = ["-static", "-O1", "-pthread", "-o", target, `${PROGRAMS}/${name}.c`];
  try {
    const { success, stderr } = await new Deno.Command(compiler, { args }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new MissingTool(
      `Cannot find ${compiler}`,
      "apt-get install --no-install-recommends gcc-aarch64-linux-gnu libc6-dev-arm64-cross",
    );
  }
  return await Deno.readFile(target);
}

async function files(programs: readonly Program[]): Promise<Record<string, Uint8Array | string>> {
  const directory = await Deno.makeTempDir({ prefix: "luo-vm-programs-" });
  try {
    const found: Record<string, Uint8Array | string> = {
      list: programs.map(({ name, options }) => `${name} ${options}\n`).join(""),
    };
    for (const { name, says } of programs) {
      found[name] = await compile(name, directory);
      found[`${name}.linux`] = says ?? await Deno.readTextFile(`${PROGRAMS}/${name}.linux`);
    }
    return found;
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function main(names: readonly string[]): Promise<number> {
  const programs = ALL.filter(({ name }) => names.length === 0 || names.includes(name));
  const { console: text } = await runInVm({
    commands: ["sh tests/vm/emulate.sh"],
    files: await files(programs),
    timeout_ms: 1_200_000,
    on_line: (line) => console.log(line),
  });
  const right = (line: string, { name, code }: Program) => line.trim() === `exit ${code} (${name})`;
  const failed = programs.filter((program) => !text.split("\n").some((line) => right(line, program)));
  for (const { name } of failed) console.log(`FAILED ${name}`);
  console.log(`\n${programs.length - failed.length} passed, ${failed.length} failed`);
  return failed.length === 0 ? 0 : 1;
}

if (import.meta.main) {
  try {
    Deno.exit(await main(Deno.args));
  } catch (error) {
    if (!(error instanceof MissingTool || error instanceof VmError)) throw error;
    console.error(error.message);
    Deno.exit(1);
  }
}
