/** Runs the tests of a file on a real kernel, in a virtual machine. */
import { inheritedEnvironment } from "../files/inherited_environment.ts";
import { linux } from "../linux/system_calls.ts";
import { guestKernel } from "../rehearse/guest_kernel.ts";
import { kernelImage } from "../rehearse/kernel_image.ts";
import { SHARED } from "../rehearse/places.ts";
import { type ProgramResult, rehearseProgram } from "../rehearse/rehearse_program.ts";
import { bootModule, type HalfResult, TALK } from "./guest.ts";

/** How the virtual machine of `testOnLinux` is built; every option has a default. */
export interface TestOnLinuxOptions {
  /** The path of the kernel image, with LUO built in. Default: the image of the running kernel. */
  readonly kernel?: string | undefined;
  /** A directory of the host to share with the guest, where it is `Half.directory`. Default: a temporary one. */
  readonly share?: string | undefined;
  /** The working directory, whose deno.json the tests need. Default: that of this process. */
  readonly directory?: string | undefined;
  /** Memory of the machine in MiB. Default 2048. */
  readonly memoryMib?: number | undefined;
  /** More words for the kernel's command line. */
  readonly append?: string | undefined;
  /** How long all boots together may take. Default: ten minutes. */
  readonly timeoutMs?: number | undefined;
}

/** How a test of the file went, over both boots. */
export interface LinuxResult {
  /** The name that was given to `liveUpdateTest`. */
  readonly name: string;
  /** A text for each failure; empty when the test passed. */
  readonly errors: readonly string[];
}

/**
 * Registers a test that boots a virtual machine, runs the tests of `module`, a URL, in it, boot after boot, and reports every
 * `liveUpdateTest` as a step. It needs QEMU and busybox, and all permissions.
 *
 * ```ts ignore
 * testOnLinux(import.meta.resolve("./live_update_test.ts"), { kernel: "/boot/vmlinuz-7.3.4" });
 * ```
 */
export function testOnLinux(module: string, options: TestOnLinuxOptions = {}): void {
  Deno.test(`on Linux: ${module.slice(module.lastIndexOf("/") + 1)}`, async (t) => {
    for (const { name, errors } of await runOnLinux(module, options)) {
      await t.step(name, () => {
        if (errors.length > 0) throw new Error(errors.join("\n"));
      });
    }
  });
}

/**
 * Runs the tests of `module`, a URL, in a virtual machine, and returns the result of each `liveUpdateTest`. For runners of your own.
 *
 * @throws Error a boot ended with another status than 0, or not at all; the message ends with the last output
 */
export async function runOnLinux(module: string, options: TestOnLinuxOptions = {}): Promise<LinuxResult[]> {
  const temporary = options.share === undefined ? Deno.makeTempDirSync({ prefix: "luo-test-" }) : undefined;
  const share = options.share ?? temporary ?? "";
  const talk = `${share}/${TALK}`;
  try {
    Deno.mkdirSync(talk, { recursive: true });
    Deno.writeTextFileSync(`${talk}/results.jsonl`, "");
    Deno.writeTextFileSync(`${talk}/boot.ts`, bootModule(module));
    const output: Uint8Array[] = [];
    const result = await boots({ ...options, share }, output);
    const lines = Deno.readTextFileSync(`${talk}/results.jsonl`).split("\n").filter((line) => line !== "");
    const results = merged(lines.map((line): HalfResult => JSON.parse(line)));
    checkEnd(result, results, output);
    return results;
  } finally {
    Deno.removeSync(temporary ?? talk, { recursive: true });
  }
}

async function boots(
  options: TestOnLinuxOptions & { readonly share: string },
  output: Uint8Array[],
): Promise<ProgramResult> {
  const { kernel, memoryMib, append, share, timeoutMs = 600_000, directory = Deno.cwd() } = options;
  const image = kernel ?? kernelImage(undefined, { release: linux().uname().release, preferRunning: true });
  return await rehearseProgram({
    kernel: await guestKernel(image),
    path: Deno.execPath(),
    args: ["test", "--allow-all", "--no-check", `${SHARED}/${TALK}/boot.ts`],
    env: [...inheritedEnvironment(), "NO_COLOR=1", "DENO_NO_UPDATE_CHECK=1"],
    directory,
    nofile: [0n, 0n],
    share,
    timeout_ms: timeoutMs,
    on_output: (_stream, bytes) => void output.push(bytes),
    signal: new AbortController().signal,
    ...append === undefined ? {} : { append },
    ...memoryMib === undefined ? {} : { memory_mib: memoryMib },
  });
}

/** A test passed when both halves did. */
function merged(halves: readonly HalfResult[]): LinuxResult[] {
  return [...new Set(halves.map(({ name }) => name))].map((name) => {
    const errors = [1, 2].flatMap((boot) => {
      const half = halves.find((half) => half.name === name && half.boot === boot);
      if (half === undefined) return [`The test did not run in boot ${boot}`];
      return half.error === undefined ? [] : [`In boot ${boot}: ${half.error}`];
    });
    return { name, errors };
  });
}

/** A failed half is a result. Whatever else ends a boot early is an error of the run. */
function checkEnd(
  { end, status, boot, console }: ProgramResult,
  results: readonly LinuxResult[],
  output: readonly Uint8Array[],
): void {
  const failed = results.some(({ errors }) => errors.length > 0);
  if (end === "exit" && boot === 2 && results.length > 0 && (status === 0 || failed)) return;
  const how = end === "exit" ? `ended with status ${status}` : `did not come to its end (${end})`;
  const why = results.length === 0 ? ", and no liveUpdateTest ran" : "";
  const decoder = new TextDecoder();
  const text = end === "exit"
    ? output.map((each) => decoder.decode(each, { stream: true })).join("")
    : console;
  const tail = text.trimEnd().split("\n").slice(-25).map((line) => `  | ${line}`).join("\n");
  throw new Error(`Boot ${boot} ${how}${why}:\n${tail}`);
}
