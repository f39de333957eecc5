/** `deno task test:systemd`: the agent as a service of a real systemd, on a real kernel in QEMU. README.md of this folder explains it. */
import { CHECKOUT, imagePath } from "../vm/images.ts";
import { isFile } from "../vm/tools.ts";

const HERE = `${CHECKOUT}/tests/systemd`;
const UNITS = `${CHECKOUT}/packaging/systemd`;
const BINARY = `${CHECKOUT}/dist/luo`;

/** A systemd, by the suite of Debian that has it, and the scripts that run on it. */
interface Machine {
  readonly suite: string;
  readonly scripts: readonly string[];
}

const MACHINES: Readonly<Record<string, Machine>> = {
  "262": { suite: "forky", scripts: ["boot1.sh", "boot2.sh", "boot3.sh", "boot4.sh", "boot5.sh"] },
  "257": { suite: "trixie", scripts: ["surviving1.sh", "surviving2.sh"] },
};
/** A boot takes 20 seconds and a start of luo 3 on an idle machine; on a busy one several times as long. */
const LIMIT_SECONDS = 1500;

/** On a busy host the kernel would call its timer broken, and panic. */
const WORDS = "no_timer_check";

/** The files of the guest: other services, the units as they are packaged, and luo where the package has it. */
async function guestFiles(directory: string): Promise<void> {
  await run("cp", "-a", `${HERE}/drop/.`, directory);
  await run("mkdir", "-p", `${directory}/usr/lib/systemd/system`, `${directory}/usr/bin`);
  await run(
    "cp",
    `${UNITS}/luo-agent.service`,
    `${UNITS}/luo-agent.socket`,
    `${UNITS}/luo-agent-surviving.service`,
    `${directory}/usr/lib/systemd/system`,
  );
  await Deno.symlink("/drop/luo", `${directory}/usr/bin/luo`);
  await run("mkdir", `${directory}/drop-ins`);
  for (const page of ["security", "update"]) {
    await Deno.writeTextFile(`${directory}/drop-ins/${page}.conf`, await dropIn(page));
  }
}

/** The drop-in for luo-agent.service that a page of docs/ has: from `[Service]` to the end of that block. */
async function dropIn(page: string): Promise<string> {
  const text = await Deno.readTextFile(`${CHECKOUT}/docs/${page}.md`);
  const block = /^ *\[Service\]\n(?: *[A-Za-z]+=.*\n)+/m.exec(text)?.[0];
  if (block === undefined) throw new Error(`docs/${page}.md has no drop-in`);
  return block.replaceAll(/^ +/gm, "");
}

async function run(program: string, ...args: string[]): Promise<number> {
  const { code } = await new Deno.Command(program, { args, stdin: "null" }).spawn().status;
  return code;
}

/** Each systemd has a cache of its own: the machine keeps one root file system in a cache. Exit status 77: it cannot run here. */
async function boot(directory: string, { suite, scripts }: Machine): Promise<number> {
  const files = scripts.map((name) => `${HERE}/${name}`);
  const args = [
    `${HERE}/machine.sh`,
    "-a",
    WORDS,
    "-t",
    String(LIMIT_SECONDS),
    "-k",
    imagePath(),
    BINARY,
    directory,
    ...files,
  ];
  const cache = Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME")}/.cache`;
  const env = {
    HARNESS_SUITE: suite,
    HARNESS_CACHE: `${cache}/luo-systemd${suite === "forky" ? "" : `-${suite}`}`,
  };
  const { code } = await new Deno.Command("bash", { args, env, stdin: "null" }).spawn().status;
  return code;
}

async function main(version = "262"): Promise<number> {
  const machine = MACHINES[version];
  if (machine === undefined) {
    console.log(`test:systemd knows systemd ${Object.keys(MACHINES).join(" and ")}, not ${version}`);
    return 2;
  }
  if (!isFile(BINARY)) {
    console.log("There is no dist/luo: deno task binary");
    return 1;
  }
  const directory = await Deno.makeTempDir({ prefix: "luo-systemd-" });
  try {
    await guestFiles(directory);
    return await boot(directory, machine);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.exit(await main(...Deno.args));
