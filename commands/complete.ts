/** `luo complete`, hidden: the words that a shell can offer for the last word. It prints no errors and starts no agent. */
import type { Command, RouteMap } from "@stricli/core";
import { buildCommand } from "./base/build_command.ts";
import type { SessionInfo } from "../lib/agent/protocol.ts";
import { withKexecVerb } from "./arguments/kexec_spelling.ts";
import type { Context } from "./base/context.ts";
import { size } from "./base/size.ts";
import { type Place, placeOf } from "./help/completion_place.ts";
import { commandInfo } from "./help/route_tree.ts";
import { runningKeys, runningSessions } from "./processes/agent_names.ts";
import { bootFiles, type Candidate, memfds, participants, processes } from "./processes/host_names.ts";

/** More than that a shell does not show. */
const CANDIDATES_MAX = 1000;

/** The lines `WORD`, or `WORD <tab> MEANING`, for the last of the words. */
export async function run(context: Context, words: readonly string[]): Promise<string> {
  const line = [...withKexecVerb(words.slice(0, -1)), ...words.slice(-1)];
  const place = findPlace(await context.routesTo(line), line);
  if (place === undefined) return "";
  const found = await candidates(context, place);
  return found.filter(([word]) => word.startsWith(place.word)).slice(0, CANDIDATES_MAX)
    .filter((candidate) => candidate.every((part) => part === undefined || isPlain(part)))
    .map((candidate) => `${candidate.filter(Boolean).join("\t")}\n`).join("");
}

/** A shell takes a line for a word, and a terminal shows it. */
function isPlain(text: string): boolean {
  // deno-lint-ignore no-control-regex
  return text.isWellFormed() && !/[\x00-\x1f\x7f]/.test(text);
}

type Entry = ReturnType<RouteMap<Context>["getAllEntries"]>[number];

function findPlace(routes: RouteMap<Context>, words: readonly string[]): Place | undefined {
  let here: RouteMap<Context> | Command<Context> = routes;
  for (const [index, word] of words.entries()) {
    if (!("getAllEntries" in here)) {
      return placeOf(commandInfo(here, words.slice(0, index)), words.slice(index));
    }
    const entry: Entry | undefined = here.getAllEntries().find(({ name }) => name.original === word);
    if (entry === undefined) return undefined;
    here = entry.target;
  }
  return undefined;
}

async function candidates(context: Context, place: Place): Promise<readonly Candidate[]> {
  const sessions = () => runningSessions(context, place.flags);
  switch (place.name) {
    case "SESSION":
      return place.command === "session create" ? [] : sessionNames(sessions(), STATES[place.command]);
    case "TOKEN":
      return tokens(sessions().find(({ name }) => name === place.given[0]));
    case "token":
      return [[freeToken(sessions().find(({ name }) => name === place.given[0]))]];
    case "label":
      return Array.from(new Set(sessions().flatMap(labels)), (label) => [label] as const);
    case "KEY":
    case "PREFIX":
      return runningKeys(context, place.flags, place.word).map((key) => [key] as const);
    case "pid":
      return processes();
    case "fd":
      return memfds(place.flags.get("pid") ?? "");
    case "KERNEL":
    case "IMAGE":
    case "kernel":
    case "from":
      return bootFiles(["vmlinuz", "bzImage", "Image"]);
    case "initrd":
      return bootFiles(["initrd", "initramfs"]);
    case "PARTICIPANT":
      return participants(context.settings.participants || "/etc/luo/participants.d");
    default:
      return await ownNames(context, place.name);
  }
}

/** The names that luo itself has. */
async function ownNames({ allRoutes }: Context, name: string): Promise<readonly Candidate[]> {
  switch (name) {
    case "SHELL":
      return [["bash"], ["zsh"], ["fish"]];
    case "NAME":
      return (await import("../lib/schema/json_schema.ts")).schemaNames().map((name) => [name] as const);
    case "PAGE": {
      const { manPages } = await import("./help/man_page.ts");
      const { routeTree } = await import("./help/route_tree.ts");
      return manPages(routeTree(await allRoutes())).map(({ name }) =>
        [name.replace(/^luo[-.]/, "")] as const
      );
    }
    default:
      return [];
  }
}

/** The state of the sessions that a command works on, where it is only one. */
const STATES: Readonly<Record<string, SessionInfo["state"]>> = {
  "session retrieve": "incoming",
  "file preserve": "outgoing",
};

function sessionNames(
  sessions: readonly SessionInfo[],
  state: SessionInfo["state"] | undefined,
): Candidate[] {
  return sessions.filter((session) => state === undefined || session.state === state)
    .map(({ name, state }) => [name, state] as const);
}

function tokens(session: SessionInfo | undefined): Candidate[] {
  return session?.files.map(({ token, label, size: bytes }) =>
    [token, [label, size(bytes)].filter(Boolean).join(", ")] as const
  ) ?? [];
}

/** The lowest token from 1 on that the session has no file for. */
function freeToken(session: SessionInfo | undefined): string {
  const taken = new Set(session?.files.map(({ token }) => BigInt(token)));
  let token = 1n;
  while (taken.has(token)) token++;
  return `${token}`;
}

function labels({ files }: SessionInfo): string[] {
  return files.flatMap(({ label }) => label ?? []);
}

export const command = buildCommand<Record<never, never>, string[], Context>({
  docs: { brief: "Print what a shell can offer for the last word" },
  parameters: {
    positional: {
      kind: "array",
      parameter: { parse: String, placeholder: "WORD", brief: "The words after luo" },
    },
  },
  async func(_flags, ...words) {
    try {
      this.process.stdout.write(await run(this, words));
    } catch { /* The user is typing: a message would disturb the line. */ }
  },
});
