/** ListSessions page by page, and answers that are longer than what may wait for a client. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { AgentState } from "../../lib/agent/agent_state.ts";
import { agentPaths } from "../../lib/agent/agent_place.ts";
import { connectAgent } from "../../lib/agent/client.ts";
import type { SessionInfo } from "../../lib/agent/protocol.ts";
import { listSessions } from "../../lib/agent/session_list.ts";
import { LuoError } from "../../lib/error.ts";
import { Machine } from "../../lib/model/machine.ts";
import { Cli } from "../commands/cli.ts";

const AT = "2026-01-01T00:00:00.000Z";

function withState(use: (state: AgentState) => void): void {
  const directory = Deno.makeTempDirSync({ prefix: "luo-paging-" });
  try {
    const paths = agentPaths(`${directory}/s`);
    using state = new AgentState({ sys: new Machine().init(), paths, pid: 1, now: () => AT, log: () => {} });
    use(state);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

function hold(state: AgentState, name: string, files = 0): void {
  const file = { token: "1", size: 1, seals: 0, preservedAt: AT, state: "waiting" } as const;
  const info: SessionInfo = { name, state: "incoming", createdAt: AT, files: Array(files).fill(file) };
  state.incoming.set(name, { info });
}

Deno.test("paging: a session that stays is listed once, whatever comes and goes between pages", () => {
  const name = fc.string({ minLength: 1, maxLength: 3 });
  const change = fc.record({ add: fc.array(name), remove: fc.array(name) });
  fc.assert(
    fc.property(
      fc.uniqueArray(name),
      fc.array(change),
      fc.integer({ min: 1, max: 5 }),
      (stay, changes, limit) => {
        withState((state) => {
          for (const name of stay) hold(state, name);
          const listed: string[] = [];
          let after: string | undefined;
          let page = 0;
          do {
            const answer = listSessions(state, { limit, ...after === undefined ? {} : { after } });
            assert.ok(answer.sessions.length <= limit);
            listed.push(...answer.sessions.map(({ name }) => name));
            const { add = [], remove = [] } = changes[page++] ?? {};
            for (const name of add) {
              if (!state.incoming.has(name)) hold(state, name);
            }
            for (const name of remove) if (!stay.includes(name)) state.incoming.delete(name);
            after = answer.next;
          } while (after !== undefined);
          assert.deepEqual(listed, [...new Set(listed)].sort(), "in order, and no name twice");
          assert.deepEqual(stay.filter((name) => !listed.includes(name)), []);
        });
      },
    ),
    { numRuns: 50 },
  );
});

Deno.test("paging: a page ends early when its files are many, and has one session at least", () => {
  withState((state) => {
    for (const name of ["a", "b", "c", "d"]) hold(state, name, 6_000);
    hold(state, "e", 50_000);
    hold(state, "f");
    const pages: string[] = [];
    let after: string | undefined;
    do {
      const { sessions, next } = listSessions(state, { limit: 100, ...after === undefined ? {} : { after } });
      pages.push(sessions.map(({ name }) => name).join(""));
      after = next;
    } while (after !== undefined);
    assert.deepEqual(pages, ["ab", "cd", "e", "f"]);
  });
});

Deno.test("paging: one session by its name; an unknown name is no error", () => {
  withState((state) => {
    for (const name of ["a", "b"]) hold(state, name);
    assert.deepEqual(listSessions(state, { name: "b" }).sessions.map(({ name }) => name), ["b"]);
    assert.deepEqual(listSessions(state, { name: "c" }), { sessions: [] });
    assert.throws(() => listSessions(state, { limit: 0 }), /BadRequest/);
  });
});

Deno.test("answers of over 16 MiB arrive whole: a list in pages, a list and a status in one", async () => {
  await using cli = new Cli();
  const main = new URL("../bench/agent_main.ts", import.meta.url).pathname;
  const [sessions, files] = [3_000, 70];
  const args = ["run", "-A", "--quiet", main, cli.socket, `${sessions}`, `${files}`];
  const child = new Deno.Command(Deno.execPath(), { args, stdin: "null" }).spawn();
  try {
    const until = performance.now() + 60_000;
    for (let up = false; !up;) {
      try {
        connectAgent(cli.socket)[Symbol.dispose]();
        up = true;
      } catch (error) {
        if (!(error instanceof LuoError) || performance.now() > until) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
    using client = connectAgent(cli.socket);
    const list = client.call("ListSessions", {}).reply.sessions;
    assert.ok(JSON.stringify(list).length > 16 << 20);
    assert.equal(list.length, sessions);
    assert.equal(client.call("GetStatus", {}).reply.status.sessions.length, sessions);
    using watcher = connectAgent(cli.socket);
    const statuses = watcher.more("GetStatus", {});
    const seen = () => (statuses.next().value ?? assert.fail("no more")).reply.status.sessions.length;
    assert.equal(seen(), sessions);
    // The watcher reads nothing meanwhile.
    for (const name of ["n1", "n2", "n3", "n4"]) client.call("CreateSession", { name });
    for (let count = 0; count < sessions + 4;) count = seen();
    for (const name of ["n1", "n2", "n3", "n4"]) client.call("CloseSession", { name, force: true });
    const paged = await cli.json<{ sessions: SessionInfo[] }>(["session", "list"]);
    const byName = (one: SessionInfo, other: SessionInfo) => one.name < other.name ? -1 : 1;
    assert.deepEqual(paged.sessions, list.toSorted(byName));
  } finally {
    child.kill("SIGKILL");
    await child.status;
  }
});
