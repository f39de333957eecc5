/** Live updates that lose data: the commands say so. */
import assert from "node:assert/strict";
import { standInBzImage } from "../../lib/kexec/bzimage.ts";
import { Cli } from "./cli.ts";

/** A session with a file, and the image of a kernel of that release loaded. */
async function prepare(cli: Cli, release: string): Promise<void> {
  await cli.ok(["session", "create", "vm1"]);
  await cli.ok(["file", "preserve", "vm1", "--from", cli.file("in", "hello"), "--token", "1"]);
  await cli.ok(["kexec", "load", cli.file("image", withoutWarning(release))]);
}

/** The image of a kernel that says of itself that it reads luo-v5. Its name makes the model's kernel read another format. */
function withoutWarning(release: string): Uint8Array {
  const image = standInBzImage({ release });
  const [tag] = /luo-v\d/.exec(release) ?? [];
  // In the payload the name stands between two NULs.
  const at = new TextDecoder("latin1").decode(image).indexOf(`\0${tag}\0`);
  image.set(new TextEncoder().encode("luo-v5"), at + 1);
  return image;
}

Deno.test("a next kernel that says it reads another format is refused, at the load and again at the kexec", async () => {
  await using cli = new Cli();
  const image = cli.file("image", standInBzImage({ release: "7.3.5-luo-v9" }));
  const refused =
    /luo-v5 is handed over, the image knows luo-v9: it would panic[^]*luo kexec check KERNEL[^]*--force/;
  await cli.fails(4, refused, ["kexec", "load", image]);
  await cli.ok(["kexec", "load", image, "--force"]);
  await cli.fails(4, refused, ["kexec", "exec"]);
});

Deno.test("a next kernel that panics: kexec exec names the loss and the log, exit code 1", async () => {
  await using cli = new Cli();
  await prepare(cli, "7.3.5-luo-v9");
  const { code, err } = await cli.luo(["kexec", "exec"]);
  assert.equal(code, 1);
  assert.match(err, /handed nothing of luo's/);
  assert.match(err, /session "vm1" \(outgoing\), 1 file/);
  const [, log] = /panic too: (\S+)/.exec(err) ?? [];
  assert.match(Deno.readTextFileSync(log ?? ""), /Kernel panic - not syncing: The incoming tree failed/);
});

Deno.test("a next kernel from before live update is refused at the load", async () => {
  await using cli = new Cli();
  const image = cli.file("old", standInBzImage({ release: "6.12.1" }));
  await cli.fails(4, /its release, 6\.12\.1, is from before live update/, ["kexec", "load", image]);
  await cli.ok(["kexec", "load", image, "--force"]);
});

Deno.test("a regular file at the place of the agent's socket or lock is not touched", async () => {
  await using cli = new Cli();
  for (const [place, name] of [["precious", "precious"], ["other", "other.lock"]] as const) {
    const path = cli.file(name, "precious data\n");
    const { code, err } = await cli.luo(["status", "--socket", cli.path(place)]);
    assert.equal(code, 3);
    assert.match(err, /choose another place with --socket/);
    assert.equal(Deno.readTextFileSync(path), "precious data\n");
  }
});
