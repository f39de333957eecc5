/**
 * Compares `luo emulate` with linux.trace, which `kernel_main.ts --linux` recorded on Linux. The test needs no QEMU.
 */
import assert from "node:assert/strict";
import { compileClient } from "./client.ts";
import { underEmulate } from "./places.ts";
import { explain, firstDifference, job, lines, type Traffic } from "./trace.ts";

const [head = "", ...recorded] = lines(Deno.readTextFileSync(new URL("linux.trace", import.meta.url)));
const { release, ...traffic }: Traffic & { release: string } = JSON.parse(head);

const directory = Deno.makeTempDirSync({ prefix: "luo-native-" });
const program = await compileClient(directory);
addEventListener("unload", () => Deno.removeSync(directory, { recursive: true }));
if (program === undefined) console.log("not run: the native client, because gcc or a static libc is missing");

Deno.test({
  name: "the recorded trace is of the operations that the client draws",
  ignore: program === undefined,
  async fn() {
    const { seed, boots, count, without } = traffic;
    const { stdout } = await new Deno.Command(program ?? "", {
      args: [`${seed}`, `${boots}`, `${count}`, without],
      clearEnv: true,
    }).output();
    const drawn = lines(new TextDecoder().decode(stdout));
    // With a difference here the trace is of no use: `kernel_main.ts --linux tests/emulate/native/linux.trace` records another.
    assert.deepEqual(recorded.map((line) => line.split(" -> ")[0]), drawn);
  },
});

Deno.test({
  name:
    `${recorded.length} operations of native processes do under emulate what they did on Linux ${release}`,
  ignore: program === undefined,
  async fn() {
    const { out, err, status } = await underEmulate(job(traffic, program ?? ""), ["--strict"]);
    const difference = firstDifference(recorded, lines(out));
    assert.ok(difference === undefined, difference && explain(traffic, difference) + `\n${err}`);
    assert.equal(status, 0);
  },
});
