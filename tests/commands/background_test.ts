/** Starting a service in the background: once, detached, with its log. */
import assert from "node:assert/strict";
import { ensureRunning, type Service, waitForEnd } from "../../commands/processes/background_process.ts";
import { Failure } from "../../commands/errors/failure.ts";

/** A service that answers when a file exists: the tests are about how it is started. */
function service(dir: string, script: string): Service<string> {
  return {
    name: "the test",
    socket: `${dir}/luo/s`,
    isDefault: true,
    lock: `${dir}/luo/s.lock`,
    log: `${dir}/luo/s.log`,
    argv: () => ["/bin/sh", "-c", script],
    connect() {
      try {
        return Deno.readTextFileSync(`${dir}/there`).trim() || undefined;
      } catch {
        return undefined;
      }
    },
    limit_ms: 60_000,
  };
}

/** Runs until the test removes its directory. */
function stay(dir: string): string {
  return `while test -e ${dir}; do sleep 0.05; done`;
}

function inScratch(test: (dir: string) => void): () => void {
  return () => {
    const dir = Deno.makeTempDirSync({ prefix: "luo-background-" });
    try {
      test(dir);
    } finally {
      Deno.removeSync(dir, { recursive: true });
    }
  };
}

Deno.test(
  "a service is started once, when nothing answers",
  inScratch((dir) => {
    const s = service(dir, `echo $$ > ${dir}/there; ${stay(dir)}`);
    const first = ensureRunning(s);
    assert.equal(first.started, true);
    assert.deepEqual(ensureRunning(s), { client: first.client, started: false });
  }),
);

Deno.test(
  "a service has a process session of its own, no input, a log, and none of our file descriptors",
  inScratch((dir) => {
    const fds = `ls /proc/self/fd | tr '\\n' ' '`;
    ensureRunning(
      service(
        dir,
        `echo "$(ps -o sid= -p $$) $$ $(readlink /proc/$$/fd/0)"; ${fds}; echo x > ${dir}/there; ${
          stay(dir)
        }`,
      ),
    );
    const [line = "", open = ""] = Deno.readTextFileSync(`${dir}/luo/s.log`).split("\n");
    const [sid, pid, input] = line.trim().split(/\s+/);
    assert.equal(sid, pid);
    assert.equal(input, "/dev/null");
    // Descriptor 3 is the directory that ls reads.
    assert.equal(open.trim(), "0 1 2 3");
  }),
);

Deno.test(
  "a service that ends at once is a failure that quotes its log",
  inScratch((dir) => {
    Deno.mkdirSync(`${dir}/luo`, { mode: 0o700 });
    Deno.writeTextFileSync(`${dir}/luo/s.log`, "old news\n");
    const start = () => ensureRunning(service(dir, "echo boom >&2; exit 1"));
    assert.throws(
      start,
      (error) => error instanceof Failure && error.exit === 3 && String(error.detail.reasons) === "boom",
    );
  }),
);

Deno.test(
  "a missing program is an error",
  inScratch((dir) => {
    const s = { ...service(dir, ""), argv: () => ["/no/such/program"] };
    assert.throws(() => ensureRunning(s), /ENOENT/);
  }),
);

Deno.test("a lock file that does not exist is not locked", () =>
  assert.equal(waitForEnd("/no/such/lock", 0), true));

Deno.test(
  "the start of a service that does not answer ends at its limit",
  inScratch((dir) => {
    const silent = { ...service(dir, stay(dir)), limit_ms: 200 };
    assert.throws(
      () => ensureRunning(silent),
      /Cannot start the test: it does not answer after 0\.2 seconds/,
    );
  }),
);
