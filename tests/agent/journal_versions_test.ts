/** Agents of 0.1.0 read the last word of a journal, or nothing. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { MANIFEST_SESSION, ManifestWriter } from "../../lib/agent/manifest.ts";
import { decodeRecord } from "../../lib/agent/record.ts";
import { closeSession } from "../../lib/agent/session_end.ts";
import { createSession } from "../../lib/agent/session_methods.ts";
import { Machine } from "../../lib/model/machine.ts";
import { openDevice } from "../../lib/session.ts";
import { content, inDirectory } from "./journal_steps.ts";
import { readByVersion1 } from "./journal_of_version1.ts";
import { kexec, preserve, start } from "./state_on_model.ts";

const text = (word: string) => new TextEncoder().encode(word);
function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

interface Change {
  readonly what: "create" | "preserve" | "close" | "all";
  readonly name: number;
}

/** Sessions with long names fill a slot soon: checkpoints by themselves, and larger memfds. */
const anyStep: fc.Arbitrary<Change> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ what: fc.constant("create" as const), name: fc.nat(400) }) },
  { weight: 3, arbitrary: fc.record({ what: fc.constant("preserve" as const), name: fc.nat(400) }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant("close" as const), name: fc.nat(400) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("all" as const), name: fc.constant(0) }) },
);

Deno.test("journal: after any changes both places have all of them, and 0.1.0 reads the last word or nothing", () => {
  let read = 0;
  let refused = 0;
  const property = fc.property(
    fc.array(anyStep, { minLength: 1, maxLength: 600, size: "max" }),
    (changes) => {
      inDirectory((directory) => {
        const machine = new Machine();
        const state = start(machine, directory);
        let token = 0;
        for (const { what, name: number } of changes) {
          const name = `${number}`.padEnd(60, "x");
          const there = state.outgoing.has(name);
          if (what === "all") state.save();
          else if (what === "create" && !there) createSession(state, { name });
          else if (what === "preserve" && there) preserve(state, name, `${token++}`);
          else if (what === "close" && there) closeSession(state, { name, force: true });
        }
        const known = content(state.sessions());
        assert.deepEqual(
          content(decodeRecord(Deno.readFileSync(`${directory}/s.state`))?.sessions ?? []),
          known,
        );
        kexec(machine);
        const old = readByVersion1(machine);
        if (old === undefined) refused++;
        else assert.deepEqual(old, known, "0.1.0 takes an old journal for the last word");
        if (old !== undefined) read++;
      });
      inDirectory((directory) => {
        const machine = new Machine();
        const state = start(machine, directory);
        for (const { name: number } of changes) {
          const name = `${number}`.padEnd(60, "x");
          if (!state.outgoing.has(name)) createSession(state, { name });
        }
        const known = content(state.sessions()).map((line) => line.replace("outgoing", "incoming"));
        kexec(machine);
        Deno.removeSync(`${directory}/s.state`);
        using after = start(machine, directory);
        assert.deepEqual(content(after.sessions()), known);
      });
    },
  );
  // 0.1.0 reads a journal that ends with a checkpoint, and refuses one that ends with an entry.
  const create: Change = { what: "create", name: 1 };
  fc.assert(property, { numRuns: 25, examples: [[[create, { what: "all", name: 0 }]], [[create]]] });
  assert.ok(read > 0 && refused > 0, `0.1.0 read ${read} journals and refused ${refused}`);
});

Deno.test("manifest: 0.1.0 takes no checkpoint of a smaller memfd for the last word", () => {
  const machine = new Machine();
  const writer = new ManifestWriter(openDevice(machine.init()).create(MANIFEST_SESSION));
  inDirectory((directory) => {
    using state = start(new Machine(), directory);
    const small = Deno.readFileSync(`${directory}/s.state`);
    createSession(state, { name: "a" });
    state.save();
    const large = joined(text(" ".repeat(40_000)), Deno.readFileSync(`${directory}/s.state`));
    for (const payload of [small, small, large]) writer.write(payload);
  });
  assert.ok(writer.append(text("{}")));
  kexec(machine);
  assert.equal(readByVersion1(machine), undefined);
});
