/** Measures the copy of a file of 256 MiB from the page cache into memory: by luo, by cat and by cp. */
import { pattern } from "../files/scratch.ts";
import { copyToMemfd } from "../../lib/files/preserve_from.ts";

const SIZE_BYTES = 256 * 1024 * 1024;
const directory = Deno.makeTempDirSync({ prefix: "luo-bench-" });
const file = `${directory}/256MiB`;
{
  using out = Deno.openSync(file, { write: true, create: true });
  const piece = pattern(1 << 20);
  for (let done = 0; done < SIZE_BYTES; done += piece.length) out.writeSync(piece);
}
globalThis.addEventListener("unload", () => Deno.removeSync(directory, { recursive: true }));

Deno.bench({
  name: "luo: file to memfd",
  group: "256 MiB into memory",
  baseline: true,
  n: 5,
  async fn() {
    (await copyToMemfd({ kind: "file", path: file }))[Symbol.dispose]();
  },
});

for (const [name, script] of [["cat", 'cat "$0" >"$1"'], ["cp", 'cp "$0" "$1"']] as const) {
  Deno.bench({
    name: `${name} to /dev/shm`,
    group: "256 MiB into memory",
    n: 5,
    fn() {
      const copy = Deno.makeTempFileSync({ dir: "/dev/shm", prefix: "luo-bench-" });
      new Deno.Command("sh", { args: ["-c", script, file, copy] }).outputSync();
      Deno.removeSync(copy);
    },
  });
}
