/**
 * `deno task test:binary`: a whole live update on the real kernel in a virtual machine whose initramfs holds busybox, the C library
 * and the single executable, dist/luo. Exit status 1 when it failed. With LUO_TEST_ARCHITECTURE=aarch64 it is dist/luo-aarch64.
 */
import { deepEqual, equal } from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { Status } from "../../lib/agent/protocol.ts";
import type { Version } from "../../lib/schema/answer_types.ts";
import { VERSION } from "../../lib/version.ts";
import { troubleIn } from "../contract/report.ts";
import { testArchitecture } from "./architecture.ts";
import { CHECKOUT } from "./images.ts";
import { isFile, MissingTool } from "./tools.ts";
import { runInVm, VmError } from "./vm.ts";

/** The kernels before and after the kexec. For arm64 there is one image only. */
const PAIRS = {
  x86_64: { kernel: "7.2.12-luo", from: "7.2.12-luo", next: "bzImage-7.3.4-luo" },
  aarch64: { kernel: "Image-7.3.4-luo-arm64", from: "7.3.4-luo", next: "Image-7.3.4-luo-arm64" },
} as const;
const ARCHITECTURE = testArchitecture();
const { kernel, from, next } = PAIRS[ARCHITECTURE];
const BINARY = `${CHECKOUT}/dist/luo${ARCHITECTURE === Deno.build.arch ? "" : `-${ARCHITECTURE}`}`;
const SCRIPT = Deno.readTextFileSync(new URL("binary.sh", import.meta.url));
/** The size of the file that is handed over. It is small: an emulated CPU digests less than 1 MiB/s. */
const DATA_BYTES = 300_001;

async function update(): Promise<void> {
  const { boot, status, results, dmesg } = await runInVm({
    kernel,
    binary: BINARY,
    // The initramfs is large. In less memory the kernel sometimes finds no room for KHO's scratch, depending on where it lies itself.
    memory_mib: 4096,
    commands: [SCRIPT, SCRIPT],
    files: { data: randomBytes(DATA_BYTES), next: `/share/kernels/${next}` },
    timeout_ms: 840_000,
    on_line: (line) => console.log(line),
  });
  equal(`${boot} ${status}`, "2 0");
  const after = results["status.json"] as { status: Status };
  equal(after.status.lastUpdate?.fromRelease, from);
  equal(after.status.kernel.release, "7.3.4-luo");
  deepEqual(after.status.losses, []);
  equal((results["version.json"] as Version).version, VERSION);
  equal(Object.values(dmesg).flatMap(troubleIn).join("\n"), "");
}

if (!isFile(BINARY)) throw new Error(`Cannot find "${BINARY}": deno task binary ${ARCHITECTURE}`);
try {
  await update();
  console.log("\na live update with nothing but the binary: passed");
} catch (error) {
  if (!(error instanceof MissingTool || error instanceof VmError)) throw error;
  console.error(error.message);
  Deno.exit(1);
}
