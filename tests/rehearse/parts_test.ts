/** The parts of a rehearsal that need no virtual machine. */
import assert from "node:assert/strict";
import { Console, lastWords } from "../../lib/rehearse/console.ts";
import { GuardedProcess } from "../../lib/rehearse/guarded_process.ts";
import { kernelImage } from "../../lib/rehearse/kernel_image.ts";
import { MissingTool } from "../../lib/rehearse/missing_tool.ts";
import { loadOrder } from "../../lib/rehearse/modules.ts";
import { qemuCommand } from "../../lib/rehearse/qemu.ts";
import { ScratchDirectory } from "../../lib/rehearse/scratch_directory.ts";
import { quoted } from "../../lib/rehearse/shell_text.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (data: Uint8Array) => new TextDecoder().decode(data);
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

Deno.test("the console becomes lines, however it is cut into pieces, each with the time of its end", () => {
  const seen: string[] = [];
  const console = new Console((line) => void seen.push(line));
  console.take(bytes("\x1b[2Jone\r\ntw"), 1);
  console.take(bytes("o\nthr"), 2);
  assert.equal(console.text, "one\ntwo\nthr");
  console.close(3);
  assert.deepEqual(console.lines, [
    { text: "one", at_ms: 1 },
    { text: "two", at_ms: 2 },
    { text: "thr", at_ms: 3 },
  ]);
  assert.deepEqual(seen, ["one", "two", "thr"]);
});

Deno.test("the last words of a machine are those around its panic", () => {
  const lines = (words: readonly string[]) => words.map((text) => ({ text, at_ms: 0 }));
  const counted = Array.from({ length: 30 }, (_, index) => `line ${index}`);
  assert.deepEqual(lastWords(lines(counted)), counted.slice(20));
  const panic = counted.with(9, "Kernel panic - not syncing: x");
  assert.deepEqual(lastWords(lines(panic)), panic.slice(6, 16));
});

Deno.test("a shell gives a quoted word back unchanged", async () => {
  for (const word of ["", "a b", "it's", '$x `y` \\ "', "a\nb", "*", "-n"]) {
    const { stdout } = await new Deno.Command("sh", { args: ["-c", `printf %s ${quoted(word)}`] }).output();
    assert.equal(text(stdout), word);
  }
});

Deno.test("a scratch directory is removed with all its files, and the target of a link stays", () => {
  const outside = Deno.makeTempDirSync();
  try {
    Deno.writeTextFileSync(`${outside}/kept`, "");
    const path = (() => {
      using scratch = new ScratchDirectory();
      scratch.directory("a");
      scratch.file("a/b", "text");
      Deno.symlinkSync(outside, `${scratch.path}/a/link`);
      assert.equal(Deno.readTextFileSync(`${scratch.path}/a/b`), "text");
      return scratch.path;
    })();
    assert.throws(() => Deno.statSync(path), Deno.errors.NotFound);
    assert.ok(Deno.statSync(`${outside}/kept`).isFile);
  } finally {
    Deno.removeSync(outside, { recursive: true });
  }
});

Deno.test("a guarded process: its two outputs, its end, and its death with its guard", async () => {
  using process = new GuardedProcess(["sh", "-c", "echo out; echo err >&2"]);
  while (!process.ended()) await sleep(5);
  assert.equal(text(process.read("output")), "out\n");
  assert.equal(text(process.read("errors")), "err\n");

  const mark = `86400.${Math.floor(Math.random() * 1e6)}`;
  {
    using asleep = new GuardedProcess(["sleep", mark]);
    while (sleepers(mark) === 0) await sleep(5);
    assert.equal(asleep.ended(), false);
  }
  assert.equal(sleepers(mark), 0);
});

/** Processes `sleep MARK`. */
function sleepers(mark: string): number {
  return [...Deno.readDirSync("/proc")].filter(({ name }) => {
    try {
      return Deno.readTextFileSync(`/proc/${name}/cmdline`) === `sleep\0${mark}\0`;
    } catch {
      return false;
    }
  }).length;
}

Deno.test("the image is the named one, the newest of the directory, or the running kernel's", () => {
  const directory = Deno.makeTempDirSync();
  try {
    for (
      const name of ["bzImage-7.2.12-luo", "bzImage-7.10.1-luo", "bzImage-7.3.4-luo", "bzImage-9-mismatch"]
    ) {
      Deno.writeTextFileSync(`${directory}/${name}`, "");
    }
    const places = { directory, release: "no such release" };
    assert.equal(kernelImage(undefined, places), `${directory}/bzImage-7.10.1-luo`);
    assert.equal(kernelImage("7.3.4-luo", places), `${directory}/bzImage-7.3.4-luo`);
    assert.equal(kernelImage("9-mismatch", places), `${directory}/bzImage-9-mismatch`);
    assert.equal(kernelImage(`${directory}/bzImage-7.2.12-luo`, places), `${directory}/bzImage-7.2.12-luo`);
    assert.throws(() => kernelImage("8", places), MissingTool);
    assert.throws(
      () => kernelImage(undefined, { release: "no such release" }),
      /running kernel no such release/,
    );
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

Deno.test("a comma in a path does not end the path for QEMU", { ignore: !hasQemu() }, () => {
  const command = qemuCommand({
    kernel: "k",
    initrd: "i",
    append: "",
    memory_mib: 512,
    shares: [{ tag: "t", path: "/a,b", readonly: true }],
  });
  assert.ok(
    command.some((word) => word.startsWith("local,path=/a,,b,mount_tag=t,") && word.endsWith("readonly=on")),
  );
});

function hasQemu(): boolean {
  try {
    qemuCommand({ kernel: "", initrd: "", append: "", memory_mib: 0, shares: [] });
    return true;
  } catch (error) {
    if (error instanceof MissingTool) return false;
    throw error;
  }
}

Deno.test("modules are loaded after those that they need, whatever the order of modules.dep", () => {
  const dependencies = [
    "kernel/fs/9p/9p.ko.xz: kernel/net/9p/9pnet.ko.xz kernel/fs/netfs.ko.xz",
    "kernel/net/9p/9pnet_virtio.ko.xz: kernel/drivers/virtio.ko.xz kernel/net/9p/9pnet.ko.xz",
    "kernel/fs/overlayfs/overlay.ko.xz:",
    "kernel/net/9p/9pnet.ko.xz: kernel/fs/netfs.ko.xz",
    "kernel/drivers/virtio.ko.xz: kernel/drivers/virtio_ring.ko.xz",
    "kernel/drivers/virtio_ring.ko.xz:",
    "kernel/drivers/not_9p.ko.xz: kernel/x.ko.xz",
  ].join("\n");
  assert.deepEqual(loadOrder(dependencies).map((path) => path.replace(/.*\/(.*)\.ko\.xz/, "$1")), [
    "virtio_ring",
    "virtio",
    "netfs",
    "9pnet",
    "9pnet_virtio",
    "9p",
    "overlay",
  ]);
  assert.deepEqual(loadOrder(""), []);
});
