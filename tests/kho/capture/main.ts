/**
 * `deno run -A tests/kho/capture/main.ts [NAME...]`: makes the fixtures anew, on real kernels in a virtual machine. The kernel is
 * made to kexec into an image that stops at once; QEMU's monitor writes memory to a file; what belongs to the handover is kept.
 */
import { encode_capture } from "../../../lib/kho/capture.ts";
import { report_memory } from "../../../lib/kho/report.ts";
import { runInVm, VmError } from "../../vm/vm.ts";
import { Dump, fdt_address } from "./dump.ts";
import { haltingImage } from "./image.ts";
import { type Scenario, SCENARIOS } from "./scenarios.ts";

const FIXTURES = new URL("../fixtures/", import.meta.url);
const MEMORY_MIB = 1024;

async function capture(scenario: Scenario, directory: string): Promise<void> {
  const { boot_params, dump } = await stopped(scenario, directory);
  using memory = new Dump(dump);
  const fdt = fdt_address(memory, boot_params);
  using handover = new Dump(dump);
  report_memory(handover, fdt);
  const made = `${
    scenario.kernel ?? "7.3.4-luo"
  }, x86-64, QEMU, ${MEMORY_MIB} MiB; scenario ${scenario.name}`;
  const bytes = await encode_capture({ fdt, made, pages: handover.touched });
  await Deno.mkdir(FIXTURES, { recursive: true });
  await Deno.writeFile(new URL(`${scenario.name}.json.gz`, FIXTURES), bytes);
  console.log(`${scenario.name}: ${handover.touched.addresses().length} pages, ${bytes.length} bytes`);
}

/** Runs the machine until it has stopped, and dumps its memory. */
async function stopped({ name, kernel, prepare = "true" }: Scenario, directory: string) {
  const [monitor, dump] = [`${directory}/monitor`, `${directory}/memory`];
  let boot_params: bigint | undefined;
  let dumped: Promise<void> | undefined;
  const on_line = (line: string) => {
    const [, address] = /^\+([0-9a-f]{16})$/.exec(line.trim()) ?? [];
    if (address === undefined) return console.log(line);
    boot_params = BigInt(`0x${address}`);
    dumped = ask(monitor, `pmemsave 0 ${MEMORY_MIB * 2 ** 20} "${dump}"`);
  };
  try {
    const commands = [`${prepare}; deno run -A --cached-only tests/kho/capture/guest.ts ${name}`];
    const files = { halt: haltingImage() };
    await runInVm({ kernel, commands, files, monitor, memory_mib: MEMORY_MIB, on_line });
  } catch (error) {
    // It ends without the command's end: that is the plan.
    if (!(error instanceof VmError) || boot_params === undefined) throw error;
  }
  await dumped;
  if (boot_params === undefined) throw new Error("The image was not reached");
  return { boot_params, dump };
}

/** One command of QEMU's monitor, and the end of QEMU. */
async function ask(path: string, command: string): Promise<void> {
  using connection = await Deno.connect({ transport: "unix", path });
  await connection.write(new TextEncoder().encode(`stop\n${command}\nquit\n`));
  // Its answers, until it is gone.
  for await (const _ of connection.readable);
}

if (import.meta.main) {
  const wanted = SCENARIOS.filter(({ name }) => Deno.args.length === 0 || Deno.args.includes(name));
  for (const scenario of wanted) {
    const directory = await Deno.makeTempDir({ prefix: "luo-capture-" });
    try {
      await capture(scenario, directory);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  }
}
