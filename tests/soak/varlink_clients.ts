/** Varlink clients that mean well, and some that do not: torn and endless messages, calls by the dozen, slow readers, descriptors of all kinds. */
import { MFD_ALLOW_SEALING, MFD_CLOEXEC } from "../../ffi/abi/fcntl.ts";
import { close, ftruncate, memfd_create, pwrite } from "../../ffi/file.ts";
import { AgentError } from "../../lib/agent/client_errors.ts";
import { LuoError } from "../../lib/error.ts";
import type { Random } from "../traffic/random.ts";
import type { AgentWorld } from "./agent_world.ts";
import { PATIENCE_MS } from "./round.ts";
import { type Parameters, someCall } from "./varlink_calls.ts";

/** The whole life of a client. @throws Error the agent does not answer */
export async function varlinkLife(world: AgentWorld, random: Random): Promise<void> {
  const kinds = { calls: 40, withFds: 30, bytes: 15, flood: 5, watcher: 10 };
  switch (random.weighted(kinds)) {
    case "calls":
      return await callsOnOneConnection(world, random);
    case "withFds":
      for (let count = 1 + random.below(4); count > 0; count--) await callWithFds(world, random);
      return;
    case "bytes":
      return await sendBytes(world, random);
    case "flood":
      return await flood(world, random);
    case "watcher":
      return await watch(world, random);
  }
}

/** Undefined: no agent listens at the moment, or it has ended the connection. */
async function connected(world: AgentWorld): Promise<Deno.UnixConn | undefined> {
  return await Deno.connect({ transport: "unix", path: world.socket }).catch(() => undefined);
}

function encoded(
  { method, parameters }: { method: string; parameters: Parameters },
  flags: object = {},
): Uint8Array {
  return new TextEncoder().encode(
    `${JSON.stringify({ method: `io.luo.Agent.${method}`, parameters, ...flags })}\0`,
  );
}

/** Reads up to the next NUL. False: the connection has ended. @throws Error nothing comes */
async function answered(connection: Deno.UnixConn, what: string): Promise<boolean> {
  const into = new Uint8Array(65536);
  for (;;) {
    const got = await inTime(connection.read(into).catch(() => null), what);
    if (got === null) return false;
    if (into[got - 1] === 0) return true;
  }
}

/** @throws Error it takes too long */
export async function inTime<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${PATIENCE_MS} ms: ${what}`)), PATIENCE_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function callsOnOneConnection(world: AgentWorld, random: Random): Promise<void> {
  using connection = await connected(world);
  for (let count = 1 + random.below(6); connection !== undefined && count > 0; count--) {
    const call = someCall(random);
    if (call.method === "Participate") continue;
    await connection.write(encoded(call)).catch(() => {});
    if (random.chance(5)) return;
    if (!await answered(connection, JSON.stringify(call))) return;
  }
}

/** A call with descriptors, which is given up at a random time or waited for. */
async function callWithFds(world: AgentWorld, random: Random): Promise<void> {
  const { method, parameters } = random.chance(50) ? someCall(random) : {
    method: "PreserveFile",
    parameters: { session: random.pick(["a", "b", "c"]), token: random.pick(["1", "2", "3"]), fileFd: 0 },
  };
  const fds = Array.from({ length: random.below(4) }, () => someMemfd(random));
  const aborted = random.chance(30) || method === "Participate";
  const signal = AbortSignal.timeout(aborted ? random.below(50) : PATIENCE_MS);
  try {
    // The parameters are wrong on purpose.
    const answer = await world.client.call(method as "Identify", parameters as Record<string, never>, {
      fds,
      signal,
    });
    answer[Symbol.dispose]();
  } catch (error) {
    if (signal.aborted && !aborted) {
      throw new Error(`no answer in ${PATIENCE_MS} ms: ${method} ${JSON.stringify(parameters)}`);
    }
    if (!signal.aborted && !(error instanceof AgentError || error instanceof LuoError || isEnd(error))) {
      throw error;
    }
  } finally {
    fds.forEach(close);
  }
}

/** The connection ended, by the agent's end or because it cut the client off. */
function isEnd(error: unknown): boolean {
  return error instanceof Error &&
    ["ConnectionEnded", "AgentProtocolError", "TypeError"].includes(error.name);
}

function someMemfd(random: Random): number {
  const fd = memfd_create(
    "soak",
    MFD_CLOEXEC | (random.chance(70) ? MFD_ALLOW_SEALING : 0) | 16, /* MFD_EXEC */
  );
  if (random.chance(80)) pwrite(fd, random.bytes(1 + random.below(3000)), BigInt(random.below(9000)));
  if (random.chance(10)) ftruncate(fd, 1n << 26n);
  return fd;
}

/** Bytes that are no call, or half of one. */
async function sendBytes(world: AgentWorld, random: Random): Promise<void> {
  using connection = await connected(world);
  if (connection === undefined) return;
  const call = encoded(someCall(random));
  const pieces: readonly (() => Uint8Array)[] = [
    () => call.subarray(0, random.below(call.length)),
    () => random.bytes(random.below(3000)),
    () => new Uint8Array(1 + random.below(2 << 20)).fill(0x78),
    () => new TextEncoder().encode("[".repeat(random.below(100_000))),
    () => new Uint8Array(random.below(300)),
    () => new TextEncoder().encode(`{"method":"io.luo.Agent.GetStatus","parameters":{}}`),
  ];
  for (let count = 1 + random.below(4); count > 0; count--) {
    await inTime(connection.write(random.pick(pieces)()).catch(() => {}), "a write of nonsense");
    if (random.chance(30)) await new Promise((resolve) => setTimeout(resolve, random.below(20)));
  }
}

/** Many calls at once, whose answers are read late, slowly or never. */
async function flood(world: AgentWorld, random: Random): Promise<void> {
  using connection = await connected(world);
  if (connection === undefined) return;
  const calls = 1 + random.below(300);
  const all = Array.from({ length: calls }, () => encoded({ method: "GetStatus", parameters: {} }));
  const writing = (async () => {
    for (const one of all) await connection.write(one);
  })().catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, random.below(100)));
  const into = new Uint8Array(1 + random.below(4096));
  const until = new Promise<null>((resolve) => setTimeout(() => resolve(null), random.below(300)));
  while (await Promise.race([until, connection.read(into).catch(() => null)]) !== null);
  connection.close();
  await writing;
}

/** Watches the status, or takes part in updates, for a while. */
async function watch(world: AgentWorld, random: Random): Promise<void> {
  const signal = AbortSignal.timeout(20 + random.below(400));
  try {
    if (random.chance(50)) {
      for await (const answer of world.client.more("GetStatus", {}, { signal })) answer[Symbol.dispose]();
      return;
    }
    const participant = random.pick(["v1", "v2", "v3"]);
    for await (const answer of world.client.more("Participate", { name: participant }, { signal })) {
      const { event } = answer.reply;
      answer[Symbol.dispose]();
      if (event === undefined || random.chance(20)) continue;
      const word = random.pick(["ready", "ready", "ready", "veto", "later"] as const);
      const more = word === "later" ? { milliseconds: 50 } : {};
      await world.client.call("AnswerEvent", {
        update: event.update,
        event: event.event,
        participant,
        answer: word,
        ...more,
      });
      if (random.chance(10)) return;
    }
  } catch (error) {
    if (!signal.aborted && !(error instanceof AgentError || error instanceof LuoError || isEnd(error))) {
      throw error;
    }
  }
}
