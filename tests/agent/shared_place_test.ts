/** The place of the shared socket: which directories are refused, which modes things have, and rules that are read again. */
import assert from "node:assert/strict";
import { poll } from "../../ffi/epoll.ts";
import { Access } from "../../lib/agent/access.ts";
import { agentPaths } from "../../lib/agent/agent_place.ts";
import { leave, takePlaces } from "../../lib/agent/agent_listeners.ts";
import { listenShared, listenSharedAgain, sharedSocket } from "../../lib/agent/shared_place.ts";
import { close } from "../../ffi/file.ts";
import { geteuid } from "../../ffi/process.ts";
import { LuoError } from "../../lib/error.ts";
import { asUser, MAY_SWITCH } from "./as_user.ts";
import { message, RawClient } from "./raw.ts";
import { TestAgent } from "./start.ts";

const mode = (path: string) => (Deno.lstatSync(path).mode ?? 0) & 0o777;

/** A directory with the places of an agent in it. */
function inPlace(work: (socket: string, shared: string) => void): void {
  const directory = Deno.makeTempDirSync();
  Deno.mkdirSync(`${directory}/luo`, { mode: 0o700 });
  try {
    work(`${directory}/luo/agent.sock`, `${directory}/luo-shared`);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

const access = new Access(geteuid(), "/etc/luo/access.conf");

Deno.test("shared place: the directory 0711, the socket 0666 whatever the umask is, the agent's own directory 0700", () => {
  inPlace((socket, shared) => {
    const umask = Deno.umask(0o077);
    const paths = agentPaths(socket);
    using place = takePlaces(paths, access);
    const fd = listenShared(sharedSocket(socket));
    Deno.umask(umask);
    assert.equal(sharedSocket(socket), `${shared}/agent.sock`);
    assert.deepEqual([mode(shared), mode(`${shared}/agent.sock`)], [0o711, 0o666]);
    assert.equal(mode(paths.directory), 0o700);
    assert.equal(listenSharedAgain(sharedSocket(socket)), undefined, "the socket is there");
    Deno.removeSync(sharedSocket(socket));
    const again = listenSharedAgain(sharedSocket(socket));
    assert.ok(again !== undefined);
    leave(paths, place, access);
    assert.throws(() => Deno.lstatSync(shared), Deno.errors.NotFound);
    [fd, again].forEach(close);
  });
});

Deno.test("shared place: a directory that an operator made for a group stays as it is", () => {
  inPlace((socket, shared) => {
    Deno.mkdirSync(shared);
    Deno.chmodSync(shared, 0o710);
    Deno.writeTextFileSync(`${shared}/other`, "");
    using place = takePlaces(agentPaths(socket), access);
    assert.equal(mode(shared), 0o710);
    leave(agentPaths(socket), place, access);
    assert.equal(mode(shared), 0o710);
  });
});

Deno.test("shared place: a directory that nobody else may enter is opened, as systemd makes it", () => {
  inPlace((socket, shared) => {
    Deno.mkdirSync(shared, { mode: 0o700 });
    takePlaces(agentPaths(socket), access)[Symbol.dispose]();
    assert.equal(mode(shared), 0o711);
  });
});

const prepared: [what: string, prepare: (shared: string) => void, words: RegExp][] = [
  ["in which others may write", (shared) => {
    Deno.mkdirSync(shared);
    Deno.chmodSync(shared, 0o777);
  }, /others may write in it/],
  ["in which the group may write", (shared) => {
    Deno.mkdirSync(shared);
    Deno.chmodSync(shared, 0o730);
  }, /others may write in it/],
  ["that is a link to another place", (shared) => {
    Deno.mkdirSync(`${shared}.real`, { mode: 0o711 });
    Deno.writeTextFileSync(`${shared}.real/agent.sock`, "another program's");
    Deno.symlinkSync(`${shared}.real`, shared);
  }, /ENOTDIR|ELOOP/],
  ["with a file where the socket belongs", (shared) => {
    Deno.mkdirSync(shared, { mode: 0o711 });
    Deno.writeTextFileSync(`${shared}/agent.sock`, "another program's");
  }, /EEXIST/],
];
if (MAY_SWITCH) {
  prepared.push(["of another user", (shared) => {
    Deno.mkdirSync(shared, { mode: 0o711 });
    Deno.chownSync(shared, 4001, 4001);
  }, /belongs to uid 4001/]);
}
for (const [what, prepare, words] of prepared) {
  Deno.test(`shared place: a directory ${what} is refused, and left alone`, () => {
    inPlace((socket, shared) => {
      prepare(shared);
      const before = [...Deno.readDirSync(shared)].map(({ name }) => name);
      assert.throws(
        () => takePlaces(agentPaths(socket), access),
        (error) => error instanceof LuoError && error.operation === "listen" && words.test(error.message),
      );
      assert.deepEqual([...Deno.readDirSync(shared)].map(({ name }) => name), before);
      takePlaces(agentPaths(socket), new Access(geteuid()))[Symbol.dispose]();
    });
  });
}

Deno.test({
  name: "shared place: rules are read again on request, and bad ones change nothing",
  ignore: !MAY_SWITCH,
  async fn() {
    await using agent = await TestAgent.start({ access: "uid 4001 a\n" });
    const rules = (text: string) => {
      Deno.writeTextFileSync(`${agent.directory}/access.conf`, text);
      agent.child.kill("SIGHUP");
      poll(-1, 0, 300);
    };
    const user = { uid: 4001, gid: 4001, groups: [] };
    using client = asUser(user, () => new RawClient(sharedSocket(agent.socket)));
    const create = (name: string) => {
      client.send(message("CreateSession", { name }));
      return client.answer()?.error;
    };
    assert.equal(create("a"), undefined);
    assert.equal(create("b"), "io.luo.Agent.NotAllowed");
    rules("uid 4001 b\nuid\n");
    assert.equal(create("b"), "io.luo.Agent.NotAllowed", "line 2 is no rule");
    rules("uid 4001 b\n");
    assert.equal(create("b"), undefined, "a connection that is there has the new rules too");
    assert.equal(create("a"), "io.luo.Agent.NotAllowed");
  },
});
