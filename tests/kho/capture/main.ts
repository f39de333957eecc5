/**
 * `deno run -A tests/kho/capture/main.ts [NAME...]`: makes the fixtures again, with real kernels in a virtual machine.
 * The kernel kexecs into an image that stops at once, QEMU's monitor dumps the memory, and the pages of the handover
 * are kept.
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
    // The machine ends before the command does, as planned.
    if (!(error instanceof VmError) || boot_params === undefined) throw error;
  }
  await dumped;
  if (boot_params === undefined) throw new Error("The machine did not reach the image");
  return { boot_params, dump };
}

/** Sends one command to QEMU's monitor, and ends QEMU. */
async function ask(path: string, command: string): Promise<void> {
  using connection = await Deno.connect({ transport: "unix", path });
  await connection.write(new TextEncoder().encode(`stop\n${command}\nquit\n`));
  // Read the answers until QEMU closes the connection.
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
