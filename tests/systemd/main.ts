/** `deno task test:systemd`: the agent as a service of a real systemd, on a real kernel in QEMU. README.md of this folder explains it. */
import { CHECKOUT, imagePath } from "../vm/images.ts";
import { isFile } from "../vm/tools.ts";

const HERE = `${CHECKOUT}/tests/systemd`;
const UNITS = `${CHECKOUT}/packaging/systemd`;
const BINARY = `${CHECKOUT}/dist/luo`;
/** The machine with Debian's systemd 262. It is not part of luo. */
const MACHINE = `${CHECKOUT}/../shared/systemd/run.sh`;
const SCRIPTS = ["boot1.sh", "boot2.sh", "boot3.sh", "boot4.sh", "boot5.sh"];
/** A boot takes 20 seconds and a start of luo 3 on an idle machine; on a busy one several times as long. */
const LIMIT_SECONDS = 1500;

/** On a busy host the kernel would call its timer broken, and panic. */
const WORDS = "no_timer_check";

/** Why the test cannot run here. */
async function missing(): Promise<string | undefined> {
  if (!isFile(MACHINE)) return `there is no ${MACHINE}`;
  if (!isFile(BINARY)) return "there is no dist/luo: deno task binary";
  if (Deno.uid() !== 0) return "the machine's file system is made by root";
  for (const program of ["qemu-system-x86_64", "mke2fs", "gcc"]) {
    const found = await new Deno.Command("sh", { args: ["-c", `command -v ${program}`] }).output();
    if (!found.success) return `there is no ${program}`;
  }
  return undefined;
}

/** The files of the guest: other services, the units as they are packaged, and luo where the package has it. */
async function guestFiles(directory: string): Promise<void> {
  await run("cp", "-a", `${HERE}/drop/.`, directory);
  await run("mkdir", "-p", `${directory}/usr/lib/systemd/system`, `${directory}/usr/bin`);
  await run(
    "cp",
    `${UNITS}/luo-agent.service`,
    `${UNITS}/luo-agent.socket`,
    `${directory}/usr/lib/systemd/system`,
  );
  await Deno.symlink("/drop/luo", `${directory}/usr/bin/luo`);
}

async function run(program: string, ...args: string[]): Promise<number> {
  const { code } = await new Deno.Command(program, { args, stdin: "null" }).spawn().status;
  return code;
}

async function main(): Promise<number> {
  const reason = await missing();
  if (reason !== undefined) {
    console.log(`test:systemd is skipped: ${reason}`);
    return 0;
  }
  const directory = await Deno.makeTempDir({ prefix: "luo-systemd-" });
  try {
    await guestFiles(directory);
    const scripts = SCRIPTS.map((name) => `${HERE}/${name}`);
    const options = ["-a", WORDS, "-t", String(LIMIT_SECONDS), "-k", imagePath()];
    return await run("bash", MACHINE, ...options, BINARY, directory, ...scripts);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.exit(await main());
