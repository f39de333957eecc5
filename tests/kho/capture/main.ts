/**
 * `deno run -A tests/kho/capture/main.ts [NAME...]`: makes the fixtures again, with real kernels in a virtual machine.
 * The kernel kexecs into an image that stops at once, QEMU's monitor dumps the memory, and the pages of the handover
 * are kept. LUO_TEST_ARCHITECTURE=aarch64 makes those of arm64.
 */
import { gzipSync } from "node:zlib";
import { encode_capture } from "../../../lib/kho/capture.ts";
import { report_memory } from "../../../lib/kho/report.ts";
import { testArchitecture } from "../../vm/architecture.ts";
import { runInVm, VmError } from "../../vm/vm.ts";
import { device_tree, kho_in } from "./device_tree.ts";
import { Dump, fdt_address } from "./dump.ts";
import { haltingImage } from "./image.ts";
import { type Scenario, SCENARIOS } from "./scenarios.ts";

const FIXTURES = new URL("../fixtures/", import.meta.url);
const MEMORY_MIB = 1024;
/** The physical address at which memory begins. */
const MEMORY_START = { x86_64: 0n, aarch64: 0x40000000n } as const;

async function capture(scenario: Scenario, directory: string): Promise<void> {
  const { told, dump } = await stopped(scenario, directory);
  const { architecture = "x86_64", kernel = "7.3.4-luo", name } = scenario;
  const start = MEMORY_START[architecture];
  using memory = new Dump(dump, start);
  const fdt = architecture === "x86_64" ? fdt_address(memory, told) : await byDeviceTree(memory, told, name);
  using handover = new Dump(dump, start);
  report_memory(handover, fdt);
  const made = `${kernel}, ${architecture}, QEMU, ${MEMORY_MIB} MiB; scenario ${name}`;
  const bytes = await encode_capture({ fdt, made, pages: handover.touched });
  await Deno.mkdir(FIXTURES, { recursive: true });
  await Deno.writeFile(new URL(`${scenario.name}.json.gz`, FIXTURES), bytes);
  console.log(`${scenario.name}: ${handover.touched.addresses().length} pages, ${bytes.length} bytes`);
}

/** The device tree becomes a fixture of its own. */
async function byDeviceTree(memory: Dump, address: bigint, name: string): Promise<bigint> {
  const tree = device_tree(memory, address);
  await Deno.writeFile(new URL(`${name}.dtb.gz`, FIXTURES), gzipSync(tree, { level: 9 }));
  return kho_in(tree).fdt.address;
}

/** Runs the machine until it has stopped, and dumps its memory. `told`: the address that the image writes to the console. */
async function stopped(scenario: Scenario, directory: string) {
  const { name, kernel, prepare = "true", architecture = "x86_64" } = scenario;
  const [monitor, dump] = [`${directory}/monitor`, `${directory}/memory`];
  let told: bigint | undefined;
  let dumped: Promise<void> | undefined;
  const on_line = (line: string) => {
    const [, address] = /^\+([0-9a-f]{16})$/.exec(line.trim()) ?? [];
    if (address === undefined) return console.log(line);
    told = BigInt(`0x${address}`);
    dumped = ask(monitor, `pmemsave ${MEMORY_START[architecture]} ${MEMORY_MIB * 2 ** 20} "${dump}"`);
  };
  try {
    const commands = [`${prepare}; deno run -A --cached-only tests/kho/capture/guest.ts ${name}`];
    const files = { halt: haltingImage(architecture) };
    await runInVm({ kernel, commands, files, monitor, memory_mib: MEMORY_MIB, timeout_ms: 600_000, on_line });
  } catch (error) {
    // The machine ends before the command does, as planned.
    if (!(error instanceof VmError) || told === undefined) throw error;
  }
  await dumped;
  if (told === undefined) throw new Error("The machine did not reach the image");
  return { told, dump };
}

/** Sends one command to QEMU's monitor, and ends QEMU. */
async function ask(path: string, command: string): Promise<void> {
  using connection = await Deno.connect({ transport: "unix", path });
  await connection.write(new TextEncoder().encode(`stop\n${command}\nquit\n`));
  // Read the answers until QEMU closes the connection.
  for await (const _ of connection.readable);
}

if (import.meta.main) {
  const wanted = SCENARIOS.filter(({ name, architecture = "x86_64" }) =>
    architecture === testArchitecture() && (Deno.args.length === 0 || Deno.args.includes(name))
  );
  for (const scenario of wanted) {
    const directory = await Deno.makeTempDir({ prefix: "luo-capture-" });
    try {
      await capture(scenario, directory);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  }
}
