/** A missing /proc or /dev/null, and files that no handler of the kernel takes: the message names the culprit. */
import assert from "node:assert/strict";
import * as abi from "../../ffi/abi/fcntl.ts";
import { close, ftruncate, memfd_create, pwrite } from "../../ffi/file.ts";
import { Cli } from "./cli.ts";

/** In a mount namespace of its own, where the directory is empty. */
async function without(cli: Cli, directory: string, args: string): Promise<{ code: number; err: string }> {
  const luo = cli.commandLine.map((word) => `'${word}'`).join(" ");
  const script = `mount -t tmpfs none ${directory} && exec ${luo} ${args}`;
  const { code, stderr } = await new Deno.Command("unshare", {
    args: ["--user", "--map-root-user", "--mount", "bash", "-c", script],
    cwd: cli.dir,
    env: cli.env,
    stdin: "null",
    stderr: "piped",
  }).output();
  return { code, err: new TextDecoder().decode(stderr) };
}

const namespaces = (await new Deno.Command("unshare", {
  args: ["--user", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"],
  stderr: "null",
}).output().catch(() => ({ success: false }))).success;

for (
  const [directory, words] of [
    // The single executable needs /proc before anything of luo runs, to find its own program.
    ["/proc", /Cannot read "\/proc\/self\/(exe|fd)": \/proc is not mounted\n {2}mount it: mount -t proc/],
    ["/dev", /Cannot open "\/dev\/null": there is no such device\n {2}mount the devices/],
  ] as const
) {
  Deno.test(`without ${directory} no agent starts, and the message says what is missing`, {
    ignore: !namespaces,
  }, async () => {
    await using cli = new Cli();
    const { code, err } = await without(cli, directory, "agent start");
    assert.equal(code, 3, err);
    assert.match(err, words);
  });
}

const huge = memfd_create("huge", abi.MFD_CLOEXEC | abi.MFD_HUGETLB);

Deno.test("a memfd of huge pages is called one", { ignore: huge < 0 }, async () => {
  await using cli = new Cli();
  await cli.ok(["session", "create", "vm1"]);
  const preserve = ["file", "preserve", "vm1", "--token", "1", "--pid", String(Deno.pid), "--fd"];
  await cli.fails(1, /no handler takes a memfd of huge pages \(ENOENT\)\n[^]*--from/, [
    ...preserve,
    String(huge),
  ]);
  ftruncate(huge, 2n << 20n);
  const small = memfd_create("small", abi.MFD_CLOEXEC | abi.MFD_EXEC);
  pwrite(small, new Uint8Array(5), 0n);
  await cli.ok([...preserve, String(small)]);
  close(small);
  close(huge);
});

Deno.test("a tmpfs file that still has a name is called that", async () => {
  await using cli = new Cli();
  await cli.ok(["session", "create", "vm1"]);
  const { code, err } = await cli.shell(`
    file=$(mktemp -p /dev/shm); exec 5<>$file
    luo file preserve vm1 --fd 5 --token 1; code=$?
    rm $file; luo file preserve vm1 --fd 5 --token 1 >&2 || code=9; exit $code`);
  assert.equal(code, 1, err);
  assert.match(err, /no handler takes a tmpfs file that still has a name \(ENOENT\)/);
  assert.match(err, /File 1 preserved/);
});
