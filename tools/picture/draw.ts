/** `deno task picture`: draws docs/survives.svg, what survives a kexec, from a machine of the model. */
import { PAGE_SIZE } from "../../ffi/abi/page.ts";
import { type Kind, live_update, type Step } from "./memory.ts";

const COLUMNS = 64;
const CELL = 12;
const LEFT = 24;
const WIDTH = COLUMNS * CELL + 2 * LEFT;

const COLORS: Readonly<Record<Kind, readonly [color: string, name: string]>> = {
  firmware: ["#9aa5b1", "firmware"],
  free: ["#f1f3f5", "free"],
  scratch: ["#d0bfff", "scratch: never preserved"],
  next: ["#7048e8", "the next kernel's own"],
  tree: ["#e03131", "KHO's tree"],
  map: ["#f08c00", "the preserved-memory map"],
  luo: ["#1971c2", "LUO: sessions and files, metadata"],
  list: ["#66d9e8", "memfds: structs and lists of pages"],
  kept: ["#2f9e44", "contents of preserved files"],
  lost: ["#ffc9c9", "other files, the old kernel's own"],
  poison: ["#343a40", "poison: gone"],
};

/** The picture as text; the same every time. */
export function picture(): string {
  const { before, after, chain, map } = live_update();
  const parts: string[] = [];
  let y = 30;
  const title = (text: string) => parts.push(label(LEFT, y, text, "bold"));
  title("Physical memory, a square for each page, in the moment of the kexec");
  y += 10 + grid(parts, before.kinds, y + 10) + 26;
  title(
    "The same memory when the next kernel runs. It was told where KHO's tree and scratch are, no more",
  );
  y += 10 + grid(parts, after.kinds, y + 10) + 26;
  title("How it finds what is in it: each holds the address of the next");
  y += 16;
  y += row(parts, chain, y) + 16;
  y += row(parts, [chain[0], ...map].filter((step) => step !== undefined), y) + 30;
  y += legend(parts, y);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" font-family="sans-serif" font-size="12">`,
    `<title>What survives a kexec</title>`,
    `<rect width="${WIDTH}" height="${y}" fill="#fff"/>`,
    ...parts,
    "</svg>\n",
  ].join("\n");
}

/** Runs of one kind in a row are one rectangle. Returns its height. */
function grid(parts: string[], kinds: readonly Kind[], top: number): number {
  for (let first = 0; first < kinds.length;) {
    const kind = kinds[first] ?? "free";
    let count = 1;
    while ((first + count) % COLUMNS !== 0 && kinds[first + count] === kind) count++;
    const [x, y] = [LEFT + first % COLUMNS * CELL, top + Math.floor(first / COLUMNS) * CELL];
    parts.push(
      `<rect x="${x}" y="${y}" width="${count * CELL}" height="${CELL}" fill="${COLORS[kind][0]}"/>`,
    );
    first += count;
  }
  const rows = Math.ceil(kinds.length / COLUMNS);
  parts.push(lines(top, rows));
  return rows * CELL;
}

function lines(top: number, rows: number): string {
  const right = LEFT + COLUMNS * CELL;
  const across = Array.from({ length: rows + 1 }, (_, row) => `M${LEFT} ${top + row * CELL}H${right}`);
  const down = Array.from(
    { length: COLUMNS + 1 },
    (_, column) => `M${LEFT + column * CELL} ${top}V${top + rows * CELL}`,
  );
  return `<path d="${[...across, ...down].join("")}" stroke="#fff" stroke-width="0.7" fill="none"/>`;
}

/** Boxes with arrows between them. Returns the height. */
function row(parts: string[], steps: readonly Step[], top: number): number {
  const width = (WIDTH - 2 * LEFT) / steps.length;
  steps.forEach(({ name, frame }, index) => {
    const x = LEFT + index * width;
    const address = `0x${(frame * PAGE_SIZE).toString(16)}`;
    parts.push(
      `<rect x="${round(x)}" y="${top}" width="${
        round(width - 18)
      }" height="36" rx="4" fill="none" stroke="#495057"/>`,
      label(x + 5, top + 15, name),
      label(x + 5, top + 30, address, "normal", "#868e96"),
    );
    if (index === 0) return;
    const y = top + 18;
    parts.push(`<path d="M${round(x - 17)} ${y}h14m-5 -4l5 4l-5 4" stroke="#495057" fill="none"/>`);
  });
  return 36;
}

function legend(parts: string[], top: number): number {
  const entries = Object.values(COLORS);
  entries.forEach(([color, name], index) => {
    const [x, y] = [LEFT + index % 3 * 260, top + Math.floor(index / 3) * 20];
    parts.push(`<rect x="${x}" y="${y - 10}" width="12" height="12" fill="${color}" stroke="#adb5bd"/>`);
    parts.push(label(x + 18, y, name));
  });
  return Math.ceil(entries.length / 3) * 20;
}

function label(x: number, y: number, text: string, weight = "normal", color = "#212529"): string {
  return `<text x="${round(x)}" y="${y}" font-weight="${weight}" fill="${color}">${text}</text>`;
}

function round(value: number): string {
  return String(Math.round(value * 10) / 10);
}

if (import.meta.main) {
  await Deno.writeTextFile(new URL("../../docs/survives.svg", import.meta.url), picture());
}
