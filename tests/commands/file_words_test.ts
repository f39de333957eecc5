/** Every problem with a file has words, in the form that all messages have. */
import assert from "node:assert/strict";
import { FILE_WORDS, fileWords } from "../../commands/errors/file_words.ts";
import { toFailure } from "../../commands/errors/to_failure.ts";
import { FileProblem, type FileProblemCode, type FileProblems } from "../../lib/files/file_problem.ts";

const EXAMPLES: { readonly [Code in FileProblemCode]: FileProblems[Code] } = {
  "system-file": { path: "/proc/self/exe" },
  "no-handler": { file: "file descriptor 5", why: "huge pages" },
  "source-kind": { file: '"in"', kind: "FIFO" },
  "source-resized": { file: '"in"', before: 100n, after: 110n },
  "source-written": { file: '"in"' },
  "memory": { file: '"in"', needed: 37n << 20n, available: 1n << 20n },
  "target-form": { path: "a/" },
  "target-exists": { path: "out" },
  "target-directory": { path: "no/out", directory: "no/", errno: "ENOENT" },
  "target-kind": { path: "out", kind: "socket" },
  "restored-short": { file: "file 7", moved: 5n, size: 10n },
  "digest": { file: "file 7", preserved: "sha256:aa", found: "sha256:bb" },
};

const CODES = Object.keys(FILE_WORDS) as FileProblemCode[];

for (const code of CODES) {
  Deno.test(`"${code}" has a message that names the file, and every field that is a number or a kind`, () => {
    const fields = EXAMPLES[code];
    const { message, hints = [] } = fileWords(new FileProblem(code, fields));
    assert.match(message, /^Cannot [a-z]+ .*[^.]$/);
    const text = [message, ...hints].join("\n");
    for (const [name, value] of Object.entries(fields)) {
      const shown = typeof value === "bigint" && code === "memory" ? `${value >> 20n} MiB` : String(value);
      assert.ok(text.includes(shown), `${name} ${shown} is not in: ${text}`);
    }
  });
}

Deno.test("problems that lose data or prove a change have kinds of their own for scripts", () => {
  const kind = (code: FileProblemCode) => toFailure(new FileProblem(code, EXAMPLES[code])).kind;
  const special = CODES.filter((code) => kind(code) !== "file-error").map((code) => [code, kind(code)]);
  assert.deepEqual(special, [
    ["system-file", "unavailable"],
    ["memory", "refused"],
    ["digest", "digest-mismatch"],
  ]);
});
