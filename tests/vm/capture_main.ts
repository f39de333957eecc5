/**
 * `deno run -A tests/vm/capture_main.ts [--kernel IMAGE] [STORY...]`: what a real kernel hands over, byte for byte, into
 * tests/kho/fixtures/.
 *
 * The next kernel is the same image with its entry overwritten: it says where its boot parameters are and halts. So nothing is
 * changed after the last instruction of the kernel that hands over, and KHO's tree is found as a kernel finds it.
 */
import { Buffer } from "node:buffer";
import { Dump, fdt_address } from "../kho/capture/dump.ts";
import { encode_capture } from "../../lib/kho/capture.ts";
import { hex } from "../../lib/kho/error.ts";
import { report_memory } from "../../lib/kho/report.ts";
import { CHECKOUT, imagePath } from "./images.ts";
import { ask } from "../kho/capture/main.ts";
import { runInVm } from "./vm.ts";

const STORIES = ["none", "memfds", "chains", "second"];
const MEMORY_MIB = 1024;
/**
 * What stands at the entry: `+`, rsi as 16 hexadecimal digits and a line end on the first serial line, then cli; hlt. rsi is
 * the address of struct boot_params (Documentation/arch/x86/boot.rst, "64-bit Boot Protocol").
 */
const HALT = Buffer.from(
  "b910000000b02beb1148c1c6044088f0240f04303c397602042788c4bafd03" +
    "0000eca82074fb88e0baf8030000eeffc979d7b00aeefaf4ebfd",
  "hex",
);

/** The 64-bit entry is 0x200 into what follows the setup sectors, whose number stands at 0x1f1. */
function haltingImage(image: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  image.set(HALT, ((image[0x1f1] ?? 0) + 1) * 512 + 0x200);
  return image;
}

/** Memory of the machine when the next kernel is entered, and where its boot parameters are. */
async function dumped(kernel: string, story: string, directory: string): Promise<bigint> {
  const monitor = `${directory}/monitor`;
  let boot_params: bigint | undefined;
  let saved: Promise<void> | undefined;
  await runInVm({
    kernel,
    commands: Array.from({ length: 2 }, () => `deno run -A tests/vm/capture_guest.ts ${story}`),
    files: { halt: haltingImage(await Deno.readFile(imagePath(kernel))) },
    memory_mib: MEMORY_MIB,
    monitor,
    on_line: (line) => {
      console.log(line);
      const address = line.match(/^\+([0-9a-f]{16})$/)?.[1];
      if (address === undefined) return;
      boot_params = BigInt(`0x${address}`);
      saved = ask(monitor, `pmemsave 0 ${MEMORY_MIB * 1024 * 1024} "${directory}/memory"`);
    },
  });
  await saved;
  if (boot_params === undefined) throw new Error("The next kernel was not entered");
  return boot_params;
}

async function capture(kernel: string, story: string): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "luo-capture-" });
  try {
    const boot_params = await dumped(kernel, story, directory);
    using memory = new Dump(`${directory}/memory`);
    const fdt = fdt_address(memory, boot_params);
    using handover = new Dump(`${directory}/memory`);
    report_memory(handover, fdt);
    const made = `tests/vm/capture_main.ts, ${kernel}, ${story}`;
    const path = `${CHECKOUT}/tests/kho/fixtures/${kernel.replace(/-.*/, "")}-${story}.json.gz`;
    await Deno.writeFile(path, await encode_capture({ fdt, made, pages: handover.touched }));
    console.log(`${path}: ${handover.touched.addresses().length} pages, tree at ${hex(fdt)}`);
  } finally {
    if (Deno.env.get("LUO_KEEP_DUMP")) console.log(directory);
    else await Deno.remove(directory, { recursive: true });
  }
}

if (import.meta.main) {
  const [option, image, ...rest] = Deno.args;
  const [kernel, stories] = option === "--kernel" ? [image ?? "", rest] : ["7.3.4-luo", Deno.args];
  for (const story of stories.length === 0 ? STORIES : stories) await capture(kernel, story);
}
