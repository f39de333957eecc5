/** Calls into C while V8 collects garbage: errno is the call's own, and buffers stay where they are. */
import assert from "node:assert/strict";

const PROGRAM = new URL("collection_program.ts", import.meta.url).pathname;
const NATIVES = "--expose-gc,--allow-natives-syntax";

/** The collector fails to print its trace to /dev/full: every collection leaves ENOSPC in errno. */
const TRACE = "--trace-gc,--trace-gc-verbose,--trace-gc-nvp";

for (
  const [name, part, flags] of [
    ["errno is read before a collection can overwrite it", "errno", TRACE],
    ["errno is read before compiled code collects", "errno", `${TRACE},--always-sparkplug`],
    ["buffers stay where they are, and are kept", "buffers", "--gc-interval=200"],
    [
      "buffers stay where they are when the heap is compacted",
      "buffers",
      "--stress-compaction,--gc-interval=2000",
    ],
  ] as const
) {
  Deno.test(name, async () => {
    const deno = [Deno.execPath(), "run", "--allow-all", `--v8-flags=${NATIVES},${flags}`, PROGRAM, part];
    const { code, stderr } = await new Deno.Command("sh", {
      args: ["-c", 'exec "$@" >/dev/full', "sh", ...deno],
    }).output();
    const text = new TextDecoder().decode(stderr);
    assert.deepEqual([code, text.trim().split("\n").at(-1)], [0, "passed"], text);
  });
}
