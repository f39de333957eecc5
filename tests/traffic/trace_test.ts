/** The model gives the trace that Linux gave for the same random traffic. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { modelTraces } from "./model_trace.ts";
import { RECORDED } from "./recorded.ts";

const [parameters = "", ...linux] = Deno.readTextFileSync(RECORDED).trimEnd().split("\n");
const [seed = 0, boots = 0, count = 0] = parameters.split(" ").map(Number);

Deno.test(`the model gives the recorded trace of Linux for the same random traffic (seed ${seed})`, () => {
  ok(linux.length === boots * count && count > 0);
  const model = [...modelTraces(seed, boots, count)].flat();
  // Show only the first line that differs.
  const at = linux.findIndex((line, index) => line !== model[index]);
  equal(model[at], linux[at]);
  equal(model.length, linux.length);
});

Deno.test("the same seed gives the same trace, and another seed another one", () => {
  const once = [...modelTraces(7, 3, 300)];
  deepEqual([...modelTraces(7, 3, 300)], once);
  ok([...modelTraces(8, 3, 300)].join() !== once.join());
});

Deno.test("every operation that can succeed does so now and then", () => {
  const lines = [...modelTraces(3, 3, 3000)].flat();
  const good = new Set(
    lines.filter((line) => !/ -> E[A-Z0-9]+/.test(line)).map((line) => line.split(" ")[1]),
  );
  const all = new Set(lines.map((line) => line.split(" ")[1]));
  deepEqual([...all.difference(good)].sort(), ["null_pointer", "reboot_unknown"]);
});
