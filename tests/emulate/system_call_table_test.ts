/** Compares the table of decisions with the kernel's own list of system calls: a new call needs a decision. */
import assert from "node:assert/strict";
import { PASSED, TRAPS } from "../../lib/emulate/system_call_table.ts";

/** The newest kernel whose list is checked in. */
const LIST = new URL("system_calls_7.3.4.txt", import.meta.url);
const HEADERS = {
  x86_64: "/usr/include/x86_64-linux-gnu/asm/unistd_64.h",
  aarch64: "/usr/include/aarch64-linux-gnu/asm/unistd_64.h",
};

/** Lines `name x86_64 aarch64`, `-` where the architecture lacks the call. */
function kernelList(): Map<string, readonly [string, string]> {
  const lines = Deno.readTextFileSync(LIST).split("\n").filter((line) =>
    line !== "" && !line.startsWith("#")
  );
  return new Map(lines.map((line) => {
    const [name = "", x86_64 = "", aarch64 = ""] = line.split(" ");
    return [name, [x86_64, aarch64]];
  }));
}

const list = kernelList();
const passed = Object.values(PASSED).flatMap((names) => names.split(/\s+/).filter((name) => name !== ""));
const decided = [...Object.keys(TRAPS), ...passed];

Deno.test("every system call of Linux 7.3.4 has a decision", () => {
  assert.deepEqual([...list.keys()].filter((name) => !decided.includes(name)), []);
});

Deno.test("every decision is about a system call of Linux 7.3.4", () => {
  assert.deepEqual(decided.filter((name) => !list.has(name)), []);
});

Deno.test("no system call has two decisions", () => {
  assert.deepEqual(decided.filter((name, index) => decided.indexOf(name) !== index), []);
});

Deno.test("the numbers of the trapped calls are the kernel's, on both architectures", () => {
  for (const [name, { nr }] of Object.entries(TRAPS)) {
    const [x86_64, aarch64] = nr;
    assert.deepEqual([String(x86_64), String(aarch64 ?? "-")], list.get(name), name);
  }
});

for (const [index, [name, header]] of Object.entries(HEADERS).entries()) {
  const text = readable(header);
  Deno.test({
    name: `the installed header of ${name} agrees with the list${text ? "" : " (ignored: not installed)"}`,
    ignore: text === undefined,
    fn() {
      for (const [, call = "", number = ""] of (text ?? "").matchAll(/^#define __NR_(\w+) (\d+)$/gm)) {
        // A header older than the list knows fewer calls; a newer one brings calls without a decision.
        assert.ok(list.has(call), `"${call}" has no decision in lib/emulate/system_call_table.ts`);
        assert.equal(list.get(call)?.[index], number, call);
      }
    },
  });
}

function readable(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
