/** The journal: what becomes of sessions, and that journals of every version are read. */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  afterDeath,
  afterKexec,
  afterPowerLoss,
  decodeJournal as decodeBytes,
  encodeJournal,
  type Journal,
  unrestored,
} from "../../lib/agent/journal.ts";
import type { SessionInfo, SessionState } from "../../lib/agent/protocol.ts";

/** The journal in a checkpoint without a log. */
function decodeJournal(payload: Uint8Array): Journal | undefined {
  return decodeBytes({ payload, entries: [] });
}

const AT = "2026-01-01T00:00:00.000Z";

function session(name: string, state: SessionState): SessionInfo {
  const file = { token: "7", size: 4096, seals: 0, preservedAt: AT, state: "preserved" } as const;
  return { name, state, createdAt: AT, files: [file] };
}

const journal: Journal = {
  version: 1,
  bootId: "one",
  release: "7.3.4",
  pid: 42,
  updates: 1,
  sessions: [session("out", "outgoing"), session("in", "incoming"), session("mine", "retrieved")],
  image: { loaded: true, by: "luo", size: 1 },
  lastUpdate: { fromRelease: "a", toRelease: "b", at: AT, count: 1, sessions: 1, files: 1, bytes: 1 },
  losses: [],
  ended: false,
};

const cases = [
  {
    what: "after a kexec only outgoing sessions wait",
    take: afterKexec,
    waiting: ["out"],
    doubtful: [],
    lost: ["in", "mine"],
  },
  {
    what: "after the agent's death incoming sessions still wait",
    take: afterDeath,
    waiting: ["in"],
    doubtful: ["mine"],
    lost: ["out"],
  },
  {
    what: "after a boot without a manifest only the kernel knows what came over",
    take: afterPowerLoss,
    waiting: [],
    doubtful: ["out"],
    lost: ["in", "mine"],
  },
];

for (const { what, take, waiting, doubtful, lost } of cases) {
  Deno.test(`journal: ${what}`, () => {
    const inherited = take(journal, AT);
    assert.deepEqual(inherited.waiting.map(({ name }) => name), waiting);
    assert.deepEqual(inherited.doubtful.map(({ name }) => name), doubtful);
    assert.deepEqual(inherited.losses.map((loss) => loss.session), lost);
    for (const loss of inherited.losses) assert.deepEqual(loss.files, [{ token: "7", size: 4096 }]);
  });
}

for (const take of [afterKexec, afterDeath, afterPowerLoss]) {
  Deno.test(`journal: losses that nobody cleared stay (${take.name})`, () => {
    const old = { session: "old", state: "outgoing", files: [], reason: "killed", at: AT } as const;
    const { losses } = take({ ...journal, losses: [{ ...old, files: [] }] }, AT);
    assert.deepEqual(losses[0], old);
  });
}

Deno.test("journal: files of a session that was handed over wait to be restored", () => {
  assert.deepEqual(afterKexec(journal, AT).waiting[0]?.files.map(({ state }) => state), ["waiting"]);
});

Deno.test("journal: restored files outlive the session's holder", () => {
  const given = { ...session("mine", "retrieved").files[0], token: "8", state: "restored" } as const;
  const both = session("mine", "retrieved");
  const { files } = unrestored({
    ...both,
    files: [...both.files, { ...given, size: 1, seals: 0, preservedAt: AT }],
  });
  assert.deepEqual(files.map(({ token }) => token), ["7"]);
});

Deno.test("journal: a file of unknown time has a text for agents of 0.1.0, and no time for this one", () => {
  const file = { token: "7", size: 1, seals: 0, state: "waiting" } as const;
  const unknown: Journal = { ...journal, sessions: [{ ...session("s", "retrieved"), files: [file] }] };
  const bytes = encodeJournal(unknown);
  assert.equal(JSON.parse(new TextDecoder().decode(bytes)).sessions[0].files[0].preservedAt, "");
  assert.deepEqual(decodeJournal(bytes), unknown);
});

Deno.test("journal: a kind of file that a later version wrote is not known to this one, and one that is missing stays so", () => {
  const file = { token: "7", size: 1, seals: 0, preservedAt: AT, state: "preserved" } as const;
  const files = [{ ...file, kind: "memfd" }, { ...file, kind: "of 2031" }, file];
  const text = JSON.stringify({ ...journal, sessions: [{ ...session("s", "outgoing"), files }] });
  const read = decodeJournal(new TextEncoder().encode(text));
  assert.deepEqual(read?.sessions[0]?.files, [{ ...file, kind: "memfd" }, file, file]);
});

Deno.test("journal: an agent that ended on purpose has listed its losses already", () => {
  const ended = { ...journal, ended: true };
  assert.deepEqual(afterDeath(ended, AT), { waiting: [session("in", "incoming")], doubtful: [], losses: [] });
});

Deno.test("journal: encoded bytes are decoded; other bytes give undefined, never an exception", () => {
  const loss = {
    session: "s",
    state: "outgoing",
    files: [{ token: "1", size: 2 }],
    reason: "r",
    at: AT,
  } as const;
  const full: Journal = { ...journal, losses: [{ ...loss, files: [...loss.files] }] };
  assert.deepEqual(decodeJournal(encodeJournal(full)), full);
  fc.assert(fc.property(fc.uint8Array(), (noise) => assert.equal(decodeJournal(noise), undefined)));
  fc.assert(
    fc.property(fc.json(), (text) => assert.equal(decodeJournal(new TextEncoder().encode(text)), undefined)),
  );
  const broken = [
    { version: 2 },
    { sessions: [{ name: 1 }] },
    {
      sessions: [{ ...session("x", "outgoing"), state: "gone" }],
    },
    { ended: 1 },
    { losses: [{}] },
    { image: 1 },
    { image: { loaded: "no" } },
    { lastUpdate: {} },
  ];
  for (const change of broken) {
    const text = JSON.stringify({ ...journal, ...change });
    assert.equal(decodeJournal(new TextEncoder().encode(text)), undefined, text);
  }
});

/** A journal as JSON has it, after what `change` does to its retrieved session. */
function stored(
  change: (session: Record<string, unknown>, file: Record<string, unknown>) => void,
): Uint8Array {
  const value = JSON.parse(new TextDecoder().decode(encodeJournal(journal)));
  change(value.sessions[2], value.sessions[2].files[0]);
  return new TextEncoder().encode(JSON.stringify(value));
}

Deno.test("journal: a restored file is written as 0.1.0 reads it, and read in both words", () => {
  const mine = session("mine", "retrieved");
  const given: SessionInfo = { ...mine, files: mine.files.map((file) => ({ ...file, state: "restored" })) };
  const written = encodeJournal({ ...journal, sessions: [given] });
  const { sessions: [raw] } = JSON.parse(new TextDecoder().decode(written));
  assert.deepEqual([raw.state, raw.files[0].state], ["retrieved", "retrieved"]);
  assert.deepEqual(decodeJournal(written)?.sessions, [given]);
  for (const state of ["retrieved", "restored"]) {
    const decoded = decodeJournal(stored((_session, file) => file.state = state));
    assert.equal(decoded?.sessions[2]?.state, "retrieved");
    assert.equal(decoded?.sessions[2]?.files[0]?.state, "restored");
  }
});

Deno.test("journal: fields of another version are kept, and written again", () => {
  const bytes = stored((session, file) => {
    session.colour = "red";
    file.shape = { round: true };
  });
  const decoded = decodeJournal(bytes);
  assert.ok(decoded);
  assert.deepEqual(
    JSON.parse(new TextDecoder().decode(encodeJournal(decoded))),
    JSON.parse(new TextDecoder().decode(bytes)),
  );
});

Deno.test("journal: journals that 0.1.0 accepts are accepted: sizes above 2^53, text with lone surrogates, an unknown loader", () => {
  const odd = stored((session, file) => {
    session.name = "\ud800";
    file.size = 2 ** 62;
  });
  assert.equal(decodeJournal(odd)?.sessions[2]?.files[0]?.size, 2 ** 62);
  const loader = JSON.stringify({ ...journal, image: { loaded: true, by: "kexec-tools" } });
  assert.equal(decodeJournal(new TextEncoder().encode(loader))?.image?.by, "other");
});
