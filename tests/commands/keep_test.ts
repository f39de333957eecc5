/** `session create --keep` and `session keep`, as a user sees them over several kexecs. */
import assert from "node:assert/strict";
import type { FileInfo, SessionInfo } from "../../lib/agent/protocol.ts";
import { Cli } from "./cli.ts";

Deno.test("a kept session outlives every update, and its files are there at any time", async () => {
  await using cli = new Cli();
  await cli.ok(["session", "create", "cache", "--keep"]);
  const source = cli.file("source", "the state of the cache");
  await cli.ok(["file", "preserve", "cache", "--from", source, "--token", "1", "--seal"]);
  for (let update = 1; update <= 3; update++) {
    await cli.kexec();
    assert.match(await cli.ok(["session", "list"]), /cache +outgoing, kept +1 /);
    const to = cli.path(`copy${update}`);
    await cli.ok(["file", "restore", "cache", "1", "--to", to]);
    assert.equal(Deno.readTextFileSync(to), "the state of the cache");
  }
  assert.equal((await fileOf(cli, "1")).verdict, "same");
  await cli.fails(4, /would be lost/, ["session", "close", "cache"]);
  await cli.ok(["session", "keep", "cache", "--off"]);
  await cli.fails(1, /is of this kernel/, ["file", "restore", "cache", "1", "--stdout"]);
  await cli.kexec();
  assert.match(await cli.ok(["session", "list"]), /cache +incoming +1 /);
  assert.match(await cli.ok(["session", "keep", "cache"]), /kept over every update: 1 file/);
});

/** The file once the agent has compared it with its digest. */
async function fileOf(cli: Cli, token: string): Promise<FileInfo> {
  for (let tries = 0; tries < 1000; tries++) {
    const { session } = await cli.json<{ session: SessionInfo }>(["session", "show", "cache"]);
    const file = session.files.find((one) => one.token === token);
    if (file?.verdict !== undefined) return file;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`file ${token} has no verdict`);
}

Deno.test("a kept file whose contents are not those of its digest stays preserved, and luo status names it", async () => {
  await using cli = new Cli();
  await cli.ok(["session", "create", "cache", "--keep"]);
  // A process changes the memfd after its digest was taken.
  const { code, err } = await cli.shell(
    `${
      python(
        "import os,subprocess,sys; fd=os.memfd_create('x', 2|16); os.write(fd, b'before'); os.set_inheritable(fd, True); " +
          "subprocess.run(sys.argv[1:]+['file','preserve','cache','--fd',str(fd),'--token','2','--digest'],check=True,pass_fds=[fd]); " +
          "os.pwrite(fd, b'behind', 0)",
      )
    } ${cli.commandLine.map((word) => `'${word}'`).join(" ")}`,
  );
  assert.equal(code, 0, err);
  await cli.kexec();
  assert.equal((await fileOf(cli, "2")).verdict, "changed");
  assert.match(await cli.ok(["status"]), /File 2 of session "cache" does not have its digest: changed/);
  await cli.fails(1, /not what was preserved/, ["file", "restore", "cache", "2", "--to", cli.path("no")]);
  await cli.ok(["file", "restore", "cache", "2", "--to", cli.path("yes"), "--no-verify"]);
  assert.equal(Deno.readTextFileSync(cli.path("yes")), "behind");
});

function python(code: string): string {
  return `python3 -c "${code}"`;
}
