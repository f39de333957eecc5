/** The settings of a host: how the file is read, and what `kexec load` makes of it. */
import assert from "node:assert/strict";
import type { ImageInfo } from "../../lib/agent/protocol.ts";
import { standInBzImage } from "../../lib/kexec/bzimage.ts";
import { parseConfig } from "../../commands/arguments/config_file.ts";
import { withKernel } from "../../commands/processes/next_kernel.ts";
import { Cli } from "./cli.ts";

Deno.test("a line has a name and a value, quoted or of one word", async (t) => {
  const cases: [string, string | undefined][] = [
    ["LUO_KERNEL=/vmlinuz", "/vmlinuz"],
    ["  LUO_KERNEL=/vmlinuz  ", "/vmlinuz"],
    ['LUO_KERNEL="/boot/my kernel"', "/boot/my kernel"],
    ["LUO_KERNEL='/boot/my kernel'", "/boot/my kernel"],
    ['LUO_KERNEL="a \\" b \\\\ c \\$d"', 'a " b \\ c $d'],
    ["LUO_KERNEL=", ""],
    ["# LUO_KERNEL=/no\n; LUO_KERNEL=/no\n\nLUO_KERNEL=/yes", "/yes"],
    ["LUO_KERNEL=/first\nLUO_KERNEL=/second", "/second"],
    ["OTHER=/x", undefined],
  ];
  for (const [text, expected] of cases) {
    await t.step(text, () => assert.equal(parseConfig(text, "/c").LUO_KERNEL, expected));
  }
});

Deno.test("a line that would be read in two ways, or not at all, is named", async (t) => {
  const cases: [string, RegExp][] = [
    ["LUO_KERNEL=/boot/my kernel", /Cannot read line 1 of "\/c": its value is not quoted/],
    ["LUO_APPEND=$HOME", /not quoted/],
    ['LUO_APPEND="$HOME"', /not quoted/],
    ['LUO_APPEND="open', /not quoted/],
    ["# fine\nLUO_KERNEL", /line 2 of "\/c": it is not NAME=value/],
    ["export LUO_KERNEL=/x", /not NAME=value/],
    ["LUO_KERNL=/x", /there is no setting LUO_KERNL/],
    ['LUO_APPEND="\ufffd"', /not UTF-8/],
  ];
  for (const [text, words] of cases) {
    await t.step(text, () => assert.throws(() => parseConfig(text, "/c"), words));
  }
});

const asked = { initrds: [], reuseCommandLine: true, imageCommandLine: true };

Deno.test("options win over variables, variables win over the file", async () => {
  const config = Deno.makeTempFileSync();
  Deno.writeTextFileSync(
    config,
    "LUO_KERNEL=/file\nLUO_INITRD='/a  /b'\nLUO_CMDLINE=quiet\nLUO_APPEND=kho=on\n",
  );
  const chosen = (request = {}, nextKernel = {}) =>
    withKernel({ settings: { config, nextKernel } }, { ...asked, ...request });
  const all = {
    kernel: "/file",
    initrds: ["/a", "/b"],
    reuseCommandLine: false,
    imageCommandLine: false,
    commandLine: "quiet",
    append: "kho=on",
  };
  assert.deepEqual(await chosen(), all);
  assert.deepEqual(await chosen({}, { LUO_KERNEL: "/env" }), { ...all, kernel: "/env" });
  assert.deepEqual(await chosen({}, { LUO_INITRD: "" }), { ...all, initrds: [] });
  assert.deepEqual(await chosen({ initrds: ["/c"], append: "x" }), { ...all, initrds: ["/c"], append: "x" });
  // --reuse-cmdline
  const { commandLine: _, ...running } = all;
  assert.deepEqual(await chosen({ imageCommandLine: false }), { ...running, reuseCommandLine: true });
  // The settings belong to the default kernel.
  assert.deepEqual(await chosen({ kernel: "/mine" }), { ...asked, kernel: "/mine" });
  Deno.removeSync(config);
});

Deno.test("kexec load and kexec check without KERNEL take that of the file", async () => {
  await using cli = new Cli();
  const kernel = cli.file("my kernel", standInBzImage({ release: "7.3.9-default" }));
  const config = cli.file("luo.conf", `LUO_KERNEL="${kernel}"\nLUO_CMDLINE="liveupdate=on kho=on"\n`);
  const env = { LUO_CONFIG: config };
  const { image } = await cli.json<{ image: ImageInfo }>(["kexec", "load"], { env });
  assert.equal(image.kernel, kernel);
  assert.equal(image.commandLine, "liveupdate=on kho=on");
  assert.match(await cli.ok(["kexec", "check"], { env }), /fits/);
  await cli.fails(2, /Cannot go on without KERNEL.*\n.*LUO_KERNEL in ".*none"/, ["kexec", "load"], {
    env: { LUO_CONFIG: cli.path("none") },
  });
  await cli.fails(1, /Cannot read ".*": it is a directory \(EISDIR\)/, ["kexec", "load"], {
    env: { LUO_CONFIG: cli.dir },
  });
});
