/**
 * `deno task test:binary`: a whole live update on the real kernel in a virtual machine whose initramfs holds busybox, the C library
 * and the single executable, dist/luo. Exit status 1 when it failed.
 */
import { deepEqual, equal } from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { Status } from "../../lib/agent/protocol.ts";
import type { Version } from "../../lib/schema/answer_types.ts";
import { VERSION } from "../../lib/version.ts";
import { troubleIn } from "../contract/report.ts";
import { CHECKOUT } from "./images.ts";
import { isFile, MissingTool } from "./tools.ts";
import { runInVm, VmError } from "./vm.ts";

const BINARY = `${CHECKOUT}/dist/luo`;
const SCRIPT = Deno.readTextFileSync(new URL("binary.sh", import.meta.url));
/** The size of the file that is handed over. It is small: an emulated CPU digests less than 1 MiB/s. */
const DATA_BYTES = 300_001;

async function update(): Promise<void> {
  const { boot, status, results, dmesg } = await runInVm({
    kernel: "7.2.12-luo",
    binary: BINARY,
    commands: [SCRIPT, SCRIPT],
    files: { data: randomBytes(DATA_BYTES) },
    timeout_ms: 300_000,
    on_line: (line) => console.log(line),
  });
  equal(`${boot} ${status}`, "2 0");
  const after = results["status.json"] as { status: Status };
  equal(after.status.lastUpdate?.fromRelease, "7.2.12-luo");
  equal(after.status.kernel.release, "7.3.4-luo");
  deepEqual(after.status.losses, []);
  equal((results["version.json"] as Version).version, VERSION);
  equal(Object.values(dmesg).flatMap(troubleIn).join("\n"), "");
}

if (!isFile(BINARY)) throw new Error(`Cannot find "${BINARY}": deno task binary`);
try {
  await update();
  console.log("\na live update with nothing but the binary: passed");
} catch (error) {
  if (!(error instanceof MissingTool || error instanceof VmError)) throw error;
  console.error(error.message);
  Deno.exit(1);
}
