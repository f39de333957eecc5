import { deepEqual, ok } from "node:assert/strict";
import { cases, rebootCases, wordsCases } from "./all.ts";

const readme = Deno.readTextFileSync(new URL("README.md", import.meta.url));
const names = [...cases, ...rebootCases, ...wordsCases].map(({ name }) => name);
const rows = readme.split("## What is covered")[1]?.split("## What is not covered")[0]?.split("\n") ?? [];
/** The last cell's words in backquotes. */
const quoted = rows.filter((row) => row.startsWith("|")).flatMap((row) =>
  [...(row.split("|").at(-2) ?? "").matchAll(/`([^`]+)`/g)].flatMap(([, words]) => words ?? [])
);

Deno.test("the contract's README names cases that exist", () => {
  ok(quoted.length > 80);
  deepEqual(quoted.filter((words) => !names.some((name) => name.startsWith(words))), []);
});

Deno.test("the contract's README leaves out no case", () => {
  const named = (name: string) => quoted.some((words) => name.startsWith(words));
  // What is said of CREATE_SESSION's arguments goes for all four.
  const covered = (name: string) =>
    named(name) || named(name.replace(/^(RETRIEVE_SESSION|PRESERVE_FD|GET_NAME): /, "CREATE_SESSION: "));
  deepEqual(names.filter((name) => !covered(name)), []);
});
