/**
 * The single-boot cases of the contract on this host's Linux: `LUO_BACKEND=linux deno task test` on a host with LUO. Cases that
 * could disturb a machine in use run only in the virtual machine (`deno task test:kernel`).
 */
import { cases } from "./all.ts";
import { LinuxHost } from "./linux_host.ts";
import { World } from "./world.ts";

const reason = whyNot();

function whyNot(): string | undefined {
  if (Deno.permissions.querySync({ name: "env", variable: "LUO_BACKEND" }).state !== "granted") {
    return "no --allow-env";
  }
  if (Deno.env.get("LUO_BACKEND") !== "linux") return "LUO_BACKEND is not linux";
  if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") return "no --allow-ffi";
  try {
    Deno.statSync("/dev/liveupdate");
  } catch {
    return "this host has no /dev/liveupdate";
  }
}

if (reason !== undefined) {
  Deno.test({ name: `contract on this host's Linux (ignored: ${reason})`, ignore: true, fn() {} });
} else {
  for (const { name, run } of cases.filter((one) => !one.whole_machine)) {
    Deno.test({ name, sanitizeResources: false, fn: () => onThisHost(run) });
  }
}

async function onThisHost(run: (world: World) => void | Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "luo-contract-" });
  const tmpfs = await Deno.makeTempDir({ dir: "/dev/shm", prefix: "luo-contract-" });
  const disk = `${directory}/disk.bin`;
  await Deno.writeTextFile(disk, "a file that is not on a tmpfs");
  const host = new LinuxHost({ tmpfs, disk, image: disk, initrd: undefined }, directory);
  const world = new World(host);
  try {
    await run(world);
  } finally {
    world.closeAll();
    await host.endAll();
    await Deno.remove(directory, { recursive: true });
    await Deno.remove(tmpfs, { recursive: true });
  }
}
