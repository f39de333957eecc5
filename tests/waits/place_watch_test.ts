/** A wait for changes of a directory ends at the change. */
import assert from "node:assert/strict";
import { waitForEnd } from "../../commands/processes/background_process.ts";
import { PlaceChange } from "../../lib/waits/place_change.ts";
import { PlaceWatch } from "../../lib/waits/place_watch.ts";

const LIMIT_MS = 60_000;

/** A process that changes something after half a second. The looks that need no event are rarer by then. */
function later(command: string): Deno.ChildProcess {
  return new Deno.Command("sh", { args: ["-c", `sleep 0.6; ${command}`], stdin: "null" }).spawn();
}

async function inScratch(test: (dir: string) => Promise<void>): Promise<void> {
  const dir = Deno.makeTempDirSync({ prefix: "luo-place-" });
  try {
    await test(dir);
  } finally {
    Deno.removeSync(dir, { recursive: true });
  }
}

/** Waits until the path is there, and counts the waits. */
function looks(path: string): number {
  using place = new PlaceWatch(path);
  for (let count = 1;; count++) {
    place.wait(LIMIT_MS);
    if (exists(path)) return count;
  }
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

const CASES: Readonly<Record<string, (dir: string) => string>> = {
  "a file is made": (dir) => `: >${dir}/x`,
  "a file is moved there": (dir) => `: >${dir}/../${dir.split("/").at(-1)}.x; mv ${dir}.x ${dir}/x`,
};

for (const [name, command] of Object.entries(CASES)) {
  Deno.test(`${name}: the wait ends, and few looks were in vain`, () =>
    inScratch(async (dir) => {
      const began = performance.now();
      const child = later(command(dir));
      const count = looks(`${dir}/x`);
      const seconds = (performance.now() - began) / 1000;
      // On a loaded host the process starts late: once a second is a look that needs no event.
      assert.ok(count <= 16 + seconds, `${count} looks in ${seconds} s`);
      assert.equal((await child.status).code, 0);
    }));
}

Deno.test("a directory that does not exist yet is awaited, in another thread too", () =>
  inScratch(async (dir) => {
    const path = `${dir}/one/two/x`;
    using place = new PlaceChange(path);
    const child = later(`mkdir ${dir}/one; mkdir ${dir}/one/two; : >${path}`);
    while (!exists(path)) await place.next();
    assert.equal((await child.status).code, 0);
  }));

Deno.test("a signal ends the wait", async () => {
  using place = new PlaceChange("/no/such/place");
  const signal = AbortSignal.timeout(50);
  while (!signal.aborted) await place.next(signal);
});

Deno.test("an added fd ends the wait, and is named", async () => {
  await inScratch(async (dir) => {
    using place = new PlaceWatch(`${dir}/x`);
    using other = new PlaceWatch(`${dir}/y`);
    place.add(other.fd);
    const child = later(`: >${dir}/y`);
    let ready: number[] = [];
    while (ready.length === 0) ready = place.wait(LIMIT_MS);
    assert.deepEqual(ready, [other.fd]);
    assert.equal((await child.status).code, 0);
  });
});

Deno.test("the end of a lock is seen when its holder lets go, and when the holder is killed", () =>
  inScratch(async (dir) => {
    const lock = `${dir}/lock`;
    for (const way of ["lets go", "is killed"]) {
      const go = `${dir}/${way}`;
      const args = ["--no-fork", lock, "sh", "-c", 'until [ -e "$0" ]; do sleep 0.05; done', go];
      const holder = new Deno.Command("flock", { args, stdin: "null" }).spawn();
      while (waitForEnd(lock, 0)) await new Promise((resolve) => setTimeout(resolve, 5));
      assert.equal(waitForEnd(lock, 20), false);
      const other = later(way === "lets go" ? `: >"${go}"` : `kill -9 ${holder.pid}`);
      assert.equal(waitForEnd(lock, LIMIT_MS), true);
      await Promise.all([holder.status, other.status]);
    }
  }));
