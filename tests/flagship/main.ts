/**
 * `deno task test:flagship [WORDS]`: a QEMU machine, memcached, a shell and a web server go through a live update, on the model
 * and on the real kernel. Only the stories whose names contain WORDS. Ends with `N passed, N failed`; exit status 1 when one
 * failed.
 */
import { CHECKOUT } from "../vm/images.ts";
import { findTool, MissingTool } from "../vm/tools.ts";
import { anyProcess, memcached, virtualMachine } from "./judges.ts";
import { type Command, onLinux, onModel, tell, type Told } from "./told_story.ts";

interface Story {
  readonly name: string;
  readonly command: (directory: string) => Command;
  /** What the story has proved. @throws AssertionError */
  readonly judge: (told: Told) => string;
}

const MACHINE = "examples/virtual-machine/story.sh";
const CACHE = "examples/memcached/story.sh";
const PROCESS = "examples/any-process/story.sh";
const CRIU = `${CHECKOUT}/.cache/criu`;
const [KERNEL, FULL_KERNEL] = ["bzImage-7.3.4-luo", "bzImage-7.3.4-luo-full"];

const stories: readonly Story[] = [
  {
    name: "a virtual machine on the model",
    command: (VM_DIR) => ({ argv: onModel(MACHINE), env: { VM_DIR } }),
    judge: virtualMachine,
  },
  {
    name: "memcached on the model",
    command: (MC_DIR) => ({ argv: onModel(CACHE), env: { MC_DIR, MC_PORT: freePort() } }),
    judge: memcached,
  },
  {
    name: "a shell and a web server on the model",
    command: () => ({
      argv: [`${CHECKOUT}/examples/any-process/on-model.sh`],
      env: { CRIU: `${CRIU}/criu`, WEB_PORT: freePort() },
    }),
    judge: anyProcess,
  },
  {
    name: "a virtual machine on the real kernel",
    command: () => ({ argv: onLinux(MACHINE, KERNEL) }),
    judge: virtualMachine,
  },
  {
    name: "memcached on the real kernel",
    command: () => ({ argv: onLinux(CACHE, KERNEL) }),
    judge: memcached,
  },
  {
    name: "a shell and a web server on the real kernel",
    command: () => ({ argv: onLinux(PROCESS, FULL_KERNEL), env: { CRIU: `${CRIU}/criu` } }),
    judge: anyProcess,
  },
];

/** The exit status of a test that cannot run here, as in .ci/run. */
const CANNOT_RUN = 77;
/** The machines of the stories have two processors each; more at once would only wait for each other. */
const AT_ONCE = 2;

/** A port of this host at which nobody listens. */
function freePort(): string {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return `${listener.addr.port}`;
}

async function passes({ name, command, judge }: Story): Promise<boolean> {
  const number = `${stories.findIndex((story) => story.name === name) + 1}|`;
  console.log(`${number} ${name}`);
  const directory = await Deno.makeTempDir({ prefix: "luo-flagship-" });
  const started = performance.now();
  const took = () => `${((performance.now() - started) / 1000).toFixed(1)} s`;
  let told: Told | undefined;
  try {
    told = await tell(
      command(directory),
      ({ text, at_ms }) => console.log(`${number} ${(at_ms / 1000).toFixed(2)} ${text}`),
    );
    console.log(`ok     ${name} (${took()}): ${judge(told)}`);
    return true;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    console.log(`FAILED ${name} (${took()})\n  ${`${why}\n${told?.errors ?? ""}`.replaceAll("\n", "\n  ")}`);
    return false;
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

function runToEnd(command: string, args: readonly string[]): void {
  const { code, stderr } = new Deno.Command(command, { args: [...args], cwd: CHECKOUT, stdin: "null" })
    .outputSync();
  const why = new TextDecoder().decode(stderr).trim();
  if (code === CANNOT_RUN) throw new MissingTool(`${command} cannot do its work here`, why);
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} failed: ${why}`);
}

/** The programs that the stories run. */
function prepare(): void {
  findTool("memcached", "memcached");
  findTool("as", "binutils");
  findTool("qemu-system-x86_64", "qemu-system-x86");
  runToEnd(Deno.execPath(), ["task", "--quiet", "binary"]);
  runToEnd("examples/any-process/get-criu.sh", [CRIU]);
}

/** The number of stories that passed. */
async function runAll(chosen: readonly Story[]): Promise<number> {
  const waiting = [...chosen];
  let passed = 0;
  const worker = async () => {
    for (let story = waiting.shift(); story !== undefined; story = waiting.shift()) {
      if (await passes(story)) passed++;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return passed;
}

if (import.meta.main) {
  try {
    const words = Deno.args.join(" ");
    const chosen = stories.filter(({ name }) => name.includes(words));
    prepare();
    const passed = await runAll(chosen);
    console.log(`\n${passed} passed, ${chosen.length - passed} failed`);
    Deno.exit(passed === chosen.length && passed > 0 ? 0 : 1);
  } catch (error) {
    if (!(error instanceof MissingTool)) throw error;
    console.error(error.message);
    Deno.exit(CANNOT_RUN);
  }
}
