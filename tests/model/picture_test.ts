/** The picture of memory before and after a kexec in docs/. */
import assert from "node:assert/strict";
import { picture } from "../../tools/picture/draw.ts";
import { live_update } from "../../tools/picture/memory.ts";

Deno.test("docs/survives.svg shows the model's memory; deno task picture draws it again", () => {
  assert.equal(Deno.readTextFileSync(new URL("../../docs/survives.svg", import.meta.url)), picture());
});

Deno.test("in the picture all preserved frames survive the kexec, and no other frames of the old kernel", () => {
  const { before, after } = live_update();
  const of = (kinds: readonly string[], kind: string) => kinds.filter((each) => each === kind).length;
  assert.deepEqual([of(before.kinds, "kept"), of(after.kinds, "kept")], [130, 130]);
  assert.ok(of(before.kinds, "lost") >= 70);
  assert.equal(of(after.kinds, "lost"), 0);
  assert.ok(after.kinds.every((kind, frame) => kind !== "poison" || before.kinds[frame] !== "kept"));
});
