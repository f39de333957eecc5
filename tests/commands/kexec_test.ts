/** `luo kexec`: what each wrong file is called, which image was unloaded, initramfs in pieces, a command line that does not grow. */
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { createHash } from "node:crypto";
import type { ImageInfo, Status } from "../../lib/agent/protocol.ts";
import { Cli } from "./cli.ts";

const ON = ["--command-line", "liveupdate=on kho=on"];

Deno.test("a load that fails names the file at fault and its kind", async (t) => {
  await using cli = new Cli();
  const empty = cli.file("empty", "");
  const packed = cli.file("vmlinuz.gz", gzipSync("not a kernel"));
  const script = cli.file("script", "#!/bin/sh\nexit 0\n");
  const huge = cli.file("huge", "");
  Deno.truncateSync(huge, 3 * 2 ** 30);
  const cases: [string, RegExp, string[]][] = [
    ["an empty initrd", /^luo: Cannot load initrd ".*empty": the file is empty \(EINVAL\)/, [
      cli.kernel,
      "--initrd",
      empty,
    ]],
    ["a huge initrd", /^luo: Cannot load initrd ".*huge": it has 3221225472 bytes/, [
      cli.kernel,
      "--initrd",
      huge,
    ]],
    ["the second of two", /^luo: Cannot load initrd ".*empty": the file is empty/, [
      cli.kernel,
      "--initrd",
      script,
      "--initrd",
      empty,
    ]],
    ["an initrd that is a directory", /^luo: Cannot load initrd ".*": it is a directory \(EISDIR\)/, [
      cli.kernel,
      "--initrd",
      cli.dir,
    ]],
    ["an initrd that is not there", /initrd.img" \(ENOENT\)/, [
      cli.kernel,
      "--initrd",
      cli.path("initrd.img"),
    ]],
    ["a gzip file", /^luo: Cannot load ".*vmlinuz.gz": it is a gzip file/, [packed]],
    ["a script", /^luo: Cannot load ".*script": it is a text file \(ENOEXEC\)/, [script]],
    ["a directory", /^luo: Cannot load ".*": it is a directory \(EISDIR\)/, [cli.dir]],
  ];
  for (const [what, words, args] of cases) {
    await t.step(what, () => cli.fails(1, words, ["kexec", "load", ...args, ...ON]));
  }
  using _writer = Deno.openSync(cli.kernel, { write: true });
  await t.step(
    "a kernel that is open for writing",
    () =>
      cli.fails(1, /^luo: Cannot load ".*kernel": it is open for writing \(ETXTBSY\)/, [
        "kexec",
        "load",
        cli.kernel,
        ...ON,
      ]),
  );
});

Deno.test("unload says which image it unloaded", async () => {
  await using cli = new Cli();
  assert.equal(await cli.ok(["kexec", "unload"]), "Nothing was loaded\n");
  await cli.ok(["kexec", "load", cli.kernel, ...ON]);
  assert.equal(await cli.ok(["kexec", "unload"]), `Unloaded ${cli.kernel} (7.3.4-standin)\n`);
  assert.equal(await cli.ok(["kexec", "unload"]), "Nothing was loaded\n");
});

Deno.test("exec without an image fails and has nothing to force", async () => {
  await using cli = new Cli();
  for (const force of [[], ["--force"]]) {
    const { code, err } = await cli.luo(["kexec", "exec", ...force]);
    assert.equal(code, 1);
    assert.match(err, /no image is loaded \(EINVAL\)\n.*luo kexec load KERNEL/);
    assert.doesNotMatch(err, /--force/);
  }
});

Deno.test("several initrds are one, in the order given", async () => {
  await using cli = new Cli();
  const [first, second] = [cli.file("ucode", "12345"), cli.file("initrd", "initramfs")];
  const load = ["kexec", "load", cli.kernel, "--initrd", first, "--initrd", second, ...ON];
  const { image } = await cli.json<{ image: ImageInfo }>(load);
  assert.equal(image.initrd, `${first} + ${second}`);
  assert.equal(image.initrdSize, 8 + 9);
  const digest = createHash("sha256").update("12345\0\0\0initramfs").digest("hex");
  assert.equal(image.initrdDigest, `sha256:${digest}`);
  assert.match(await cli.ok(["kexec", "show"]), new RegExp(`17 B, sha256:${digest.slice(0, 12)}`));
});

Deno.test("update after update with the same words: the command line stays as it is", async () => {
  await using cli = new Cli();
  const lines: string[] = [];
  for (let update = 0; update < 3; update++) {
    await cli.ok([
      "kexec",
      "load",
      cli.kernel,
      "--reuse-cmdline",
      "--append",
      "console=ttyS0 liveupdate=on quiet",
    ]);
    await cli.ok(["kexec", "exec"]);
    const { status } = await cli.json<{ status: Status }>(["status"]);
    lines.push(status.kernel.commandLine);
  }
  assert.match(lines[0] ?? "", /console=ttyS0.*quiet$/);
  assert.deepEqual(lines, lines.map(() => lines[0]));
});
