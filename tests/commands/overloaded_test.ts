/** Another program loads a kernel over the one that luo loaded. */
import assert from "node:assert/strict";
import { KEXEC_FILE_NO_INITRAMFS, KEXEC_FILE_UNLOAD } from "../../ffi/abi/kexec.ts";
import type { ImageInfo, Status } from "../../lib/agent/protocol.ts";
import { standInBzImage } from "../../lib/kexec/bzimage.ts";
import { connectMachine } from "../../lib/machine_process/serve_machine.ts";
import { Cli } from "./cli.ts";

/** Another program of the same machine loads a kernel without live update, or unloads ours first. */
const others: readonly { what: string; flags: number }[] = [
  { what: "loaded over ours", flags: KEXEC_FILE_NO_INITRAMFS },
  { what: "unloaded and loaded", flags: KEXEC_FILE_UNLOAD },
];

for (const { what, flags } of others) {
  Deno.test(`the image that luo loaded is the one that is executed, when another was ${what}`, async () => {
    await using cli = new Cli();
    await cli.ok(["session", "create", "vm1"]);
    await cli.ok(["kexec", "load", cli.kernel, "--command-line", "liveupdate=on kho=on"]);
    {
      using other = connectMachine(`${cli.socket}.machine`);
      const image = other.memfd_create("image", 0);
      other.write(image, standInBzImage({ release: "6.1.0-other" }));
      const line = new TextEncoder().encode("quiet\0");
      assert.equal(other.kexec_file_load(image, -1, BigInt(line.length), line, BigInt(flags)), 0);
      if (flags === KEXEC_FILE_UNLOAD) {
        const again = BigInt(KEXEC_FILE_NO_INITRAMFS);
        assert.equal(other.kexec_file_load(image, -1, BigInt(line.length), line, again), 0);
      }
    }
    await cli.ok(["kexec", "exec"]);
    const { status } = await cli.json<{ status: Status }>(["status"]);
    assert.equal(status.kernel.release, "7.3.4-standin");
    assert.deepEqual(status.sessions.map(({ name }) => name), ["vm1"]);
  });
}

const overwritten: readonly { what: string; contents: Uint8Array | string }[] = [
  { what: "a kernel without live update", contents: standInBzImage({ release: "6.1.0-old" }) },
  { what: "something that is no kernel", contents: "something else" },
];

for (const { what, contents } of overwritten) {
  Deno.test(`the image that was judged is executed, when its file is now ${what}`, async () => {
    await using cli = new Cli();
    await cli.ok(["session", "create", "vm1"]);
    const { image } = await cli.json<{ image: ImageInfo }>(["kexec", "load", cli.kernel]);
    assert.match(image.digest ?? "", /^sha256:[0-9a-f]{64}$/);
    cli.file("kernel", contents);
    assert.deepEqual(await cli.json(["kexec", "show"]), { image });
    await cli.ok(["kexec", "exec"]);
    const { status } = await cli.json<{ status: Status }>(["status"]);
    assert.equal(status.kernel.release, "7.3.4-standin");
    assert.deepEqual(status.sessions.map(({ name }) => name), ["vm1"]);
  });
}

Deno.test("an agent that did not load the image itself refuses to execute it, and says how to go on", async () => {
  await using cli = new Cli();
  await cli.ok(["kexec", "load", cli.kernel]);
  await cli.ok(["agent", "stop"]);
  const { image } = await cli.json<{ image: ImageInfo }>(["kexec", "show"]);
  assert.deepEqual([image.by, image.held], ["luo", false]);
  assert.match(await cli.ok(["kexec", "show"]), /Held +no: the agent that loaded it has ended/);
  await cli.fails(4, /agent that loaded the image has ended[^]*luo kexec load KERNEL[^]*--force/, [
    "kexec",
    "exec",
  ]);
  await cli.ok(["kexec", "load", cli.kernel]);
  await cli.ok(["kexec", "exec"]);
});
