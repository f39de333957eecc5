/** tests/contract/README.md names every case, and only cases that exist. */
import { deepEqual, ok } from "node:assert/strict";
import { cases, rebootCases, wordsCases } from "./all.ts";

const readme = Deno.readTextFileSync(new URL("README.md", import.meta.url));
const names = [...cases, ...rebootCases, ...wordsCases].map(({ name }) => name);
const covered = readme.split("## What is covered")[1]?.split("## What is not covered")[0] ?? "";
/** The words in backquotes after "Cases:" of each item. A line may end within them. */
const quoted = covered.split(/^- /m).slice(1).flatMap((item) =>
  Array.from(
    (item.split("Cases:")[1] ?? "").matchAll(/`([^`]+)`/g),
    ([, words]) => (words ?? "").replace(/\s+/g, " "),
  )
);

Deno.test("the contract's README names cases that exist", () => {
  ok(quoted.length > 80);
  deepEqual(quoted.filter((words) => !names.some((name) => name.startsWith(words))), []);
});

Deno.test("the contract's README names every case", () => {
  const named = (name: string) => quoted.some((words) => name.startsWith(words));
  // The README names the cases about arguments once, for CREATE_SESSION.
  const covered = (name: string) =>
    named(name) || named(name.replace(/^(RETRIEVE_SESSION|PRESERVE_FD|GET_NAME): /, "CREATE_SESSION: "));
  deepEqual(names.filter((name) => !covered(name)), []);
});
