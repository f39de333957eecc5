/** The manifest is whole at whatever moment the kexec comes. */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  decodeSlot,
  encodeSlot,
  ManifestWriter,
  newestSlot,
  readManifest,
} from "../../lib/agent/manifest.ts";
import { openDevice } from "../../lib/session.ts";
import { Fd } from "../../lib/fd.ts";
import { standInBzImage } from "../../lib/kexec/bzimage.ts";
import { exec, loadImage } from "../../lib/kexec/load.ts";
import { ProcessKilled } from "../../lib/system_calls.ts";
import { Machine } from "../../lib/model/machine.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("manifest: a slot comes back as it was written", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), fc.uint8Array(), (sequence, payload) => {
      const slot = decodeSlot(encodeSlot(sequence, payload));
      assert.deepEqual(slot, { sequence, payload, entries: [] });
    }),
  );
});

Deno.test("manifest: a write torn at any byte leaves the old content or the new one", () => {
  const slotSize = 256;
  const older = encodeSlot(7n, bytes("the state before"));
  const newer = encodeSlot(8n, bytes("the state after, which is longer"));
  const stale = encodeSlot(6n, bytes("what stood in the second slot before"));
  for (let written = 0; written <= newer.length; written++) {
    const contents = new Uint8Array(2 * slotSize);
    contents.set(older, 0);
    contents.set(stale, slotSize);
    contents.set(newer.subarray(0, written), slotSize);
    const slot = newestSlot(contents);
    assert.equal(slot?.sequence, written < newer.length ? 7n : 8n, `torn after ${written} bytes`);
  }
});

Deno.test("manifest: other bytes are not a slot, and never an exception", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 400 }),
      (contents) => assert.equal(newestSlot(contents), undefined),
    ),
  );
  fc.assert(fc.property(fc.uint8Array(), fc.nat(), fc.integer({ min: 1, max: 255 }), (payload, at, flip) => {
    const slot = encodeSlot(1n, payload);
    const place = at % slot.length;
    slot[place] = (slot[place] ?? 0) ^ flip;
    // The next case.
    fc.pre(!isOtherVersion(slot));
    assert.equal(decodeSlot(slot), undefined);
  }));
});

const isOtherVersion = (slot: Uint8Array) => new DataView(slot.buffer).getUint32(4, true) === 2;

Deno.test("manifest: a version word that became the other version tells the same, with no log", () => {
  const slot = encodeSlot(1n, Uint8Array.of(1, 2, 3));
  slot[4] = 2;
  assert.ok(isOtherVersion(slot));
  assert.deepEqual(decodeSlot(slot), { sequence: 1n, payload: Uint8Array.of(1, 2, 3), entries: [] });
});

Deno.test("manifest: the next kernel reads the last write, however often the manifest outgrew its memfd", () => {
  const sizes = [10, 100, 40_000, 20, 90_000, 300_000, 5];
  for (let count = 1; count <= sizes.length; count++) {
    const machine = new Machine();
    const sys = machine.init();
    const writer = new ManifestWriter(openDevice(sys).create("luo-agent"));
    const payloads = sizes.slice(0, count).map((size, index) => new Uint8Array(size).fill(index + 1));
    for (const payload of payloads) writer.write(payload);
    const image = Fd.of(sys, sys.memfd_create("image", 0), "memfd_create");
    sys.write(image.number, standInBzImage({ release: "next" }));
    loadImage(sys, { kernel: image, commandLine: "liveupdate=on" });
    assert.throws(() => exec(sys), ProcessKilled);
    const session = openDevice(machine.init()).retrieve("luo-agent");
    assert.deepEqual(readManifest(session)?.payload, payloads.at(-1));
  }
});
