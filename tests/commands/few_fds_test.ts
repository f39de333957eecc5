/** Agent and machine that may open few files: what does not fit is refused, and nothing that they hold is lost. */
import assert from "node:assert/strict";
import { MFD_CLOEXEC } from "../../ffi/abi/fcntl.ts";
import { close, memfd_create, write } from "../../ffi/file.ts";
import { AgentError, connectAgent } from "../../lib/agent/client.ts";
import { Cli } from "./cli.ts";

const LIMIT = 60;

Deno.test("the machine has no free file descriptor: the preserve is refused, and the agent and its sessions go on", async () => {
  await using cli = new Cli();
  const { code, err } = await cli.shell(`ulimit -n ${LIMIT}; luo session create vm1 >&2`);
  assert.deepEqual([code, err], [0, 'Session "vm1" created\n']);
  let token = 0;
  {
    using client = connectAgent(cli.socket);
    client.call("CreateSession", { name: "spare" });
    const preserve = (session = "vm1") => {
      const fd = memfd_create("small", MFD_CLOEXEC);
      write(fd, new TextEncoder().encode(`file ${token}`));
      try {
        client.call("PreserveFile", { session, token: `${token}`, fileFd: 0 }, [fd]);
      } finally {
        close(fd);
      }
    };
    for (; token < 4; token++) preserve("spare");
    assert.throws(() => {
      for (; token < LIMIT; token++) preserve();
    }, (error) => error instanceof AgentError && /EMFILE|ENOMEM/.test(JSON.stringify(error.parameters)));
  }
  assert.ok(token > 8, `${token} files`);
  assert.match(await cli.ok(["session", "list"]), new RegExp(`^vm1 +outgoing +${token - 4} `, "m"));
  await cli.ok(["session", "close", "spare", "--force"]);
  await cli.kexec();
  await cli.ok(["session", "retrieve", "vm1"]);
  assert.equal(await cli.ok(["file", "restore", "vm1", `${token - 1}`, "--stdout"]), `file ${token - 1}`);
});

Deno.test("luo emulate with fewer than 256 files says how many are needed; 256 are enough", async () => {
  await using cli = new Cli();
  const few = await cli.shell("ulimit -n 255; luo emulate true");
  assert.equal(few.code, 3);
  assert.match(
    few.err,
    /^luo: Cannot emulate here: this process may open 255 files, and 256 are needed .*\n {2}.*ulimit -n 1024\n$/,
  );
  const enough = await cli.shell("ulimit -n 256; luo emulate sh -c 'exec 3<>/dev/liveupdate && ulimit -n'");
  assert.deepEqual([enough.code, enough.out], [0, "256\n"]);
});
