/** `deno task picture`: draws docs/architecture.svg, the floors and rooms of the source, from the imports that are there. */
import { FLOORS, room } from "./floors.ts";
import { importsOf, readSources } from "./sources.ts";

const WIDTH = 1016;
const COLUMN = 200;
const STOREY = 54;
const BOX = { width: 188, height: 36 };
const TOP = 44;

/** Each room's column from the left, and its purpose. Boxes of one floor must not overlap. */
const ROOMS: Readonly<Record<string, readonly [column: number, purpose: string]>> = {
  "main.ts": [2, "argv to exit code"],
  "commands/program": [2, "the tree of commands"],
  "commands": [2, "one verb a file"],
  "commands/processes": [1, "starts agent and machine"],
  "commands/output": [2.6, "results as text"],
  "commands/help": [4, "manual, completion"],
  "commands/arguments": [2, "flags and what they mean"],
  "commands/errors": [3, "messages, hints, exit codes"],
  "commands/base": [4, "what every command shares"],
  "lib/luo.ts": [4, "what the library exports"],
  "lib/abi.ts": [1, "the numbers of the ABI"],
  "lib/testing.ts": [2, "the model, and tests on both"],
  "lib/testing": [4, "what tests are made of"],
  "lib/agent_client.ts": [3, "the agent's clients"],
  "lib/emulate": [0, "unmodified programs"],
  "lib/emulate/launcher": [0.5, "the launcher's machine code"],
  "lib/agent/update": [3.3, "coordinates live updates"],
  "lib/agent": [2.6, "holds sessions, serves Varlink"],
  "lib/machine_process": [1, "the model as a process"],
  "lib/rehearse": [3, "real kernels in QEMU"],
  "lib/doctor": [4, "what stops an update here"],
  "lib/access": [1, "who may do what"],
  "lib/systemd": [0, "asks systemd over D-Bus"],
  "lib/files": [2, "moves bytes"],
  "lib/kexec": [3, "images and their checks"],
  "lib/kexec/image": [3, "what a kernel image says"],
  "lib/kexec/check": [3, "whether the next kernel fits"],
  "lib/session_holder.ts": [4, "sessions until the kexec"],
  "lib/session.ts": [4, "the device"],
  "lib/open_session.ts": [4, "session, token"],
  "lib/model": [0.4, "hardware, audit"],
  "lib/model/kernel": [0.4, "one boot; its processes"],
  "lib/model/handlers/future": [0.4, "drivers to come"],
  "lib/model/handlers": [0.4, "memfds"],
  "lib/model/luo": [0.4, "sessions, files, FLBs"],
  "lib/model/fs": [0, "files of every kind"],
  "lib/model/kho": [1, "map, tree, blocks"],
  "lib/model/faults": [2, "what fails on purpose"],
  "lib/model/memory": [0, "page frames"],
  "lib/model/ground": [1, "releases, panic"],
  "lib/kho": [1, "formats of the handover"],
  "lib/stale_socket.ts": [2, "a socket without a server"],
  "lib/waits": [1, "waits for events"],
  "lib/fd.ts": [3, "a descriptor and its owner"],
  "lib/linux": [4, "the seam on Linux"],
  "lib/error.ts": [2, "an errno as an error"],
  "lib/operations.ts": [2, "what fails, and why"],
  "lib/system_calls.ts": [1, "the seam"],
  "lib/schema": [4, "all data, described once"],
  "lib/owned_number.ts": [2, "a number with one owner"],
  "lib/joined_bytes.ts": [2, "pieces made one"],
  "lib/version.ts": [2, "what luo is made of"],
  "lib/report": [3, "the timeline of an update"],
  "ffi": [3, "the one dlopen"],
  "ffi/abi": [2, "constants and structs"],
};

/** A colour for each part of the house: outline and fill, by day and by night. */
const PARTS:
  readonly (readonly [prefix: string, name: string, day: readonly string[], night: readonly string[]])[] = [
    ["main.ts", "program", ["#495057", "#f1f3f5"], ["#adb5bd", "#343a40"]],
    ["commands", "commands", ["#e8590c", "#fff4e6"], ["#ffa94d", "#40210a"]],
    ["lib/model", "model", ["#2f9e44", "#ebfbee"], ["#69db7c", "#103318"]],
    ["lib", "library", ["#1971c2", "#e7f5ff"], ["#74c0fc", "#0b2c4a"]],
    ["ffi", "c", ["#7048e8", "#f3f0ff"], ["#b197fc", "#2a1a5e"]],
  ];

/** The picture as text; the same for the same imports. */
export function picture(): string {
  const height = TOP + FLOORS.length * STOREY;
  const edges = direct(roomImports());
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">`,
    "<title>The floors of luo's source, and which room imports from which</title>",
    style(),
    `<rect class="ground" width="${WIDTH}" height="${height}"/>`,
    `<text x="16" y="26" class="name">An arrow leads to a room that is imported from. Left out: arrows that follow from others. An arrow may pass under other rooms</text>`,
    ...[...edges].flatMap(([from, targets]) => arrows(from, targets)),
    ...FLOORS.flat().map(box),
    "</svg>\n",
  ].join("\n");
}

function style(): string {
  const rules = (
    text: string,
    quiet: string,
    ground: string,
    colors: (part: typeof PARTS[number]) => readonly string[],
  ) =>
    [
      `.ground { fill: ${ground} } text { fill: ${quiet} } .name { fill: ${text} }`,
      `path { stroke: ${quiet}; fill: none } .head { fill: ${quiet} }`,
      ...PARTS.map((part) => `.${part[1]} { stroke: ${colors(part)[0]}; fill: ${colors(part)[1]} }`),
    ].join("\n");
  return [
    "<style>",
    rules("#212529", "#5c677d", "#fff", ([, , day]) => day),
    "@media (prefers-color-scheme: dark) {",
    rules("#e9ecef", "#a6b0ba", "#0d1117", ([, , , night]) => night),
    "}",
    "</style>",
  ].join("\n");
}

/** For each room the rooms that its files import from. */
function roomImports(): ReadonlyMap<string, ReadonlySet<string>> {
  const imports = importsOf(readSources()).filter(({ to }) => to.endsWith(".ts"))
    .map(({ from, to }) => ({ from: room(from), to: room(to) })).filter(({ from, to }) => from !== to);
  return new Map(
    [...Map.groupBy(imports, ({ from }) => from)].map((
      [from, list],
    ) => [from, new Set(list.map(({ to }) => to))]),
  );
}

/** Leaves out imports from rooms that another imported room leads to as well. */
function direct(graph: ReadonlyMap<string, ReadonlySet<string>>): ReadonlyMap<string, readonly string[]> {
  const below = (from: string): ReadonlySet<string> => {
    const targets = [...graph.get(from) ?? []];
    return new Set([...targets, ...targets.flatMap((target) => [...below(target)])]);
  };
  return new Map([...graph].map(([from, targets]) => {
    const indirect = new Set([...targets].flatMap((target) => [...below(target)]));
    return [from, [...targets].filter((target) => !indirect.has(target))];
  }));
}

/** The upper left corner of a room's box. */
function corner(name: string): readonly [x: number, y: number] {
  const storey = FLOORS.findIndex((rooms) => rooms.includes(name));
  return [14 + placed(name)[0] * COLUMN, TOP + (FLOORS.length - 1 - storey) * STOREY];
}

function placed(name: string): readonly [column: number, purpose: string] {
  const found = ROOMS[name];
  if (found === undefined) throw new Error(`Give "${name}" a place in ROOMS of tools/architecture/draw.ts`);
  return found;
}

/** From the lower edge of one box to the upper edges of others; the ends on an edge stand apart. */
function arrows(from: string, targets: readonly string[]): string[] {
  const [x, y] = corner(from);
  const sorted = targets.toSorted((a, b) => corner(a)[0] - corner(b)[0]);
  return sorted.map((target, index) => {
    const startX = round(x + BOX.width * (index + 1) / (sorted.length + 1));
    const startY = y + BOX.height;
    const [left, endY] = corner(target);
    const endX = round(left + BOX.width * (0.5 + Math.max(-0.35, Math.min(0.35, (x - left) / COLUMN / 5))));
    const bend = Math.min(60, (endY - startY) / 2);
    return `<path d="M${startX} ${startY}C${startX} ${startY + bend} ${endX} ${endY - bend} ${endX} ${
      endY - 5
    }"/>` +
      `<path class="head" d="M${endX} ${endY}l-4 -7h8z"/>`;
  });
}

function box(name: string): string {
  const [x, y] = corner(name);
  const part = PARTS.find(([prefix]) => name.startsWith(prefix))?.[1];
  return `<rect class="${part}" x="${x}" y="${y}" width="${BOX.width}" height="${BOX.height}" rx="4"/>` +
    `<text class="name" x="${x + 8}" y="${y + 15}">${name.endsWith(".ts") ? name : `${name}/`}</text>` +
    `<text x="${x + 8}" y="${y + 30}" font-size="11">${placed(name)[1]}</text>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

if (import.meta.main) {
  await Deno.writeTextFile(new URL("../../docs/architecture.svg", import.meta.url), picture());
}
