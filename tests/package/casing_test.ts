/** Names of the public surface are written camelCase; system calls keep the names that the kernel gives them. */
import assert from "node:assert/strict";

const ROOT = new URL("../../", import.meta.url).pathname;

/** All names in the documentation of the entry points, but those of the seam. */
function names(node: unknown, found: Set<string>): Set<string> {
  if (typeof node !== "object" || node === null) return found;
  if ("name" in node && typeof node.name === "string") {
    if (node.name === "SystemCalls" || node.name === "SystemCallName") return found;
    found.add(node.name);
  }
  for (const value of Object.values(node)) names(value, found);
  return found;
}

Deno.test("the public surface has one casing", () => {
  const exported: Record<string, string> = JSON.parse(Deno.readTextFileSync(`${ROOT}deno.json`)).exports;
  const { stdout } = new Deno.Command(Deno.execPath(), {
    args: ["doc", "--quiet", "--json", ...Object.values(exported)],
    cwd: ROOT,
  }).outputSync();
  const found = names(JSON.parse(new TextDecoder().decode(stdout)), new Set());
  assert.ok(found.has("restoreAll") && found.has("memoryBytes") && found.has("O_RDONLY"));
  assert.deepEqual([...found].filter((name) => /[a-z]_[a-z]/.test(name)), []);
});
