/** `luo kexec check`, and loading what is wrapped. */
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import type { Check, ImageInfo } from "../../lib/agent/protocol.ts";
import { standInBzImage } from "../../lib/kexec/bzimage.ts";
import { uki } from "../check/images.ts";
import { Cli } from "./cli.ts";

const ON = "liveupdate=on kho=on";

Deno.test("the verdict is the exit code; every line has its reason and its source", async (t) => {
  await using cli = new Cli();
  const other = cli.file("other", standInBzImage({ release: "7.3.5-luo-v9" }));
  const unreadable = standInBzImage({ release: "7.3.5" });
  new DataView(unreadable.buffer).setUint32(0x24c, 0, true);
  const cases: readonly [what: string, code: number, words: RegExp, args: string[]][] = [
    ["fits", 0, /^7\.3\.4-standin: fits$/m, [cli.kernel]],
    ["another format", 4, /^does not fit +luo_format +luo-v5 is handed over, the image knows luo-v9/m, [
      other,
    ]],
    ["no live update on its line", 4, /lacks liveupdate=on/, [cli.kernel, "--command-line", "quiet"]],
    ["what cannot be read", 1, /^cannot tell +kho_format/m, [cli.file("unreadable", unreadable)]],
    ["a text", 4, /^does not fit +image +it is a text file/m, [cli.file("text", "hello")]],
  ];
  for (const [what, code, words, args] of cases) {
    await t.step(what, async () => {
      const outcome = await cli.luo(["kexec", "check", ...args]);
      assert.deepEqual([outcome.code, outcome.err], [code, ""], outcome.out);
      assert.match(outcome.out, words);
      assert.ok(outcome.out.split("\n").every((line) => line.length <= 120), outcome.out);
    });
  }
  await cli.fails(1, /Cannot read ".*missing" \(ENOENT\)/, ["kexec", "check", cli.path("missing")]);
  assert.equal(await cli.ok(["kexec", "show"]), "No kernel loaded\n");
});

Deno.test("a file that is no kernel: its kind is named; an empty initramfs is refused as at the load", async () => {
  await using cli = new Cli();
  await new Deno.Command("mkfifo", { args: [cli.path("fifo")] }).output();
  using _listener = Deno.listen({ transport: "unix", path: cli.path("sock") });
  const empty = cli.file("empty", "");
  const cases: readonly [words: RegExp, args: string[]][] = [
    [/Cannot read ".*fifo": it is a FIFO \(EINVAL\)/, [cli.path("fifo")]],
    [/Cannot read "\/tmp": it is a directory \(EISDIR\)/, ["/tmp"]],
    [/Cannot read "\/dev\/null": it is a device \(EINVAL\)/, ["/dev/null"]],
    [/Cannot read ".*sock": it is a socket.* \(ENXIO\)/, [cli.path("sock")]],
    [/Cannot load initrd ".*empty": the file is empty \(EINVAL\)/, [cli.kernel, "--initrd", empty]],
  ];
  for (const [words, args] of cases) await cli.fails(1, words, ["kexec", "check", ...args]);
  const { code, err } = await cli.luo(["kexec", "load", cli.kernel, "--initrd", empty]);
  assert.deepEqual([code, /Cannot load initrd ".*empty": the file is empty/.test(err)], [1, true]);
});

Deno.test("without an agent that this user may ask, the image is checked all the same", async () => {
  await using cli = new Cli();
  const linux = ["--backend", "linux", "--socket", cli.file("no-socket", ""), "--command-line", ON];
  const { out, err } = await cli.luo(["kexec", "check", cli.kernel, ...linux]);
  assert.match(out, /^(?:fits|cannot tell) +memory/m, err);
  await cli.ok(["session", "create", "vm1"]);
  assert.match(await cli.ok(["kexec", "check", cli.kernel]), /^fits +memory +0\.0 MiB are preserved/m);
});

Deno.test("--json has the verdict and a code for each line, also when it does not fit", async () => {
  await using cli = new Cli();
  const { code, out } = await cli.luo(["kexec", "check", cli.kernel, "--command-line", "quiet", "--json"]);
  const { check }: { check: Check } = JSON.parse(out);
  assert.deepEqual([code, check.verdict, check.release], [4, "does_not_fit", "7.3.4-standin"]);
  assert.deepEqual(
    check.lines.filter(({ verdict }) => verdict === "does_not_fit").map(({ code }) => code),
    ["liveupdate_on"],
  );
});

Deno.test("a kernel in a gzip file and in a UKI is loaded unpacked, with the UKI's initrd and command line", async () => {
  await using cli = new Cli();
  const kernel = Deno.readFileSync(cli.kernel);
  await cli.ok(["session", "create", "vm1"]);
  const load = (...args: string[]) =>
    cli.json<{ image: ImageInfo; check: Check }>(["kexec", "load", ...args]);
  const plain = await load(cli.kernel);
  const packed = await load(cli.file("vmlinuz.gz", gzipSync(kernel)));
  assert.equal(packed.image.digest, plain.image.digest);
  assert.deepEqual(packed.check.wraps, ["gzip"]);
  const sections = { ".cmdline": `${ON} from=uki`, ".initrd": "the initrd", ".linux": kernel };
  const unified = cli.file("linux.efi", uki(sections));
  const { image } = await load(unified);
  assert.deepEqual([image.digest, image.initrdSize], [plain.image.digest, 10]);
  assert.equal(image.commandLine, `${ON} from=uki`);
  const { image: more } = await load(unified, "--initrd", cli.file("more", "more"), "--reuse-cmdline");
  assert.equal(more.initrdSize, 16);
  assert.equal(more.commandLine, "liveupdate=on");
  await cli.ok(["kexec", "load", unified]);
  await cli.ok(["kexec", "exec"]);
  assert.match(await cli.ok(["status"]), /7\.3\.4-standin/);
});

Deno.test("an image that cannot be read is refused, at load and at exec; --force loads it", async () => {
  await using cli = new Cli();
  await cli.ok(["session", "create", "vm1"]);
  const image = standInBzImage({ release: "7.3.5" });
  new DataView(image.buffer).setUint32(0x24c, 0, true);
  const load = ["kexec", "load", cli.file("image", image), "--command-line", ON];
  const words = /the kernel in the image cannot be read: its payload.*luo rehearse KERNEL.*--force/s;
  await cli.fails(4, words, load);
  await cli.ok([...load, "--force"]);
  await cli.fails(4, /cannot be read/, ["kexec", "exec"]);
});
