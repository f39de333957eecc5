/** Files into memory and back: luo beside cat, cp and openssl. */
import { startDigest } from "../../lib/files/digest.ts";
import { copyToMemfd } from "../../lib/files/preserve_from.ts";
import { giveToFile, parseTarget } from "../../lib/files/restore_to.ts";
import { pattern } from "../files/scratch.ts";
import { ratios, type Row, type Samples, type Section, times } from "./report.ts";

const GIB = 1 << 30;
const PAIRS = 3;
const COPY = "/dev/shm/luo-bench-copy";

export const bulk: Section = {
  name: "bulk",
  title: "Bytes",
  about:
    `1 GiB, in the page cache. luo's own functions, without the start of a process; cat, cp and openssl with theirs. Copies
    lie in /dev/shm. Each ratio is one of throughputs or of times, as the target says.`,
  rows,
};

async function rows(): Promise<Row[]> {
  const directory = Deno.makeTempDirSync({ prefix: "luo-bench-" });
  const [dense, sparse] = [`${directory}/dense`, `${directory}/sparse`];
  fill(dense);
  Deno.writeTextFileSync(sparse, "");
  Deno.truncateSync(sparse, GIB);
  const cat = () => shell(`cat ${dense} >${COPY}`);
  try {
    return [...await plain(dense, sparse, cat), ...await withDigest(dense, cat)];
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

async function plain(dense: string, sparse: string, cat: () => number): Promise<Row[]> {
  await preserve(dense);
  const busy =
    "other programs use both processors; luo has one system call for each 8 MiB, cat for each 128 KiB.";
  return [
    faster(
      "preserve 1 GiB",
      "cat FILE >/dev/shm/x",
      await ratios(PAIRS, cat, () => preserve(dense)),
      1,
      busy,
    ),
    slower(
      "preserve a sparse 1 GiB",
      "cp --sparse=always",
      await ratios(PAIRS, () => preserve(sparse), () => shell(`cp --sparse=always ${sparse} ${COPY}`)),
      2,
      "cp takes a millisecond; most of luo's time is the check of the available memory.",
    ),
    faster(
      "restore 1 GiB to a file",
      "cat FILE >/dev/shm/x",
      await ratios(PAIRS, cat, () => restore(dense)),
      1,
      "the source is a memfd, which has no large pages, and its bytes go through a buffer, to leave out zeros.",
    ),
  ];
}

async function withDigest(dense: string, cat: () => number): Promise<Row[]> {
  const slowest = () => Math.max(cat(), shell(`openssl dgst -sha256 ${dense}`));
  const why =
    "two threads work, one for the digest and one for the copy, and other programs use both processors.";
  return [
    slower(
      "preserve with digest",
      "cat or openssl dgst",
      await ratios(PAIRS, () => preserve(dense, true), slowest),
      1.15,
      why,
    ),
    slower(
      "restore with digest",
      "cat or openssl dgst",
      await ratios(PAIRS, () => restore(dense, true), slowest),
      1.15,
      why,
    ),
  ];
}

function fill(path: string): void {
  using out = Deno.openSync(path, { write: true, create: true });
  const piece = pattern(1 << 20);
  for (let done = 0; done < GIB; done += piece.length) out.writeSync(piece);
}

/** Milliseconds. */
function shell(script: string): number {
  const begin = performance.now();
  const { success } = new Deno.Command("sh", { args: ["-c", script], stdout: "null" }).outputSync();
  const end = performance.now();
  new Deno.Command("rm", { args: ["-f", COPY] }).outputSync();
  if (!success) throw new Error(`"${script}" failed`);
  return end - begin;
}

async function preserve(path: string, digest = false): Promise<number> {
  const begin = performance.now();
  const running = digest ? await startDigest() : undefined;
  using _ = await copyToMemfd({ kind: "file", path }, {
    onData: running && ((bytes) => running.update(bytes)),
  });
  running?.text();
  return performance.now() - begin;
}

async function restore(path: string, verify = false): Promise<number> {
  const running = verify ? await startDigest() : undefined;
  using memfd = await copyToMemfd({ kind: "file", path }, {
    onData: running && ((bytes) => running.update(bytes)),
  });
  const digest = running?.text();
  const begin = performance.now();
  await giveToFile({ fd: memfd.number, name: path, size: BigInt(GIB) }, parseTarget(COPY), { digest });
  const end = performance.now();
  Deno.removeSync(COPY);
  return end - begin;
}

/** `ratio` is the other's time by luo's. */
function faster(what: string, against: string, ratio: Samples, least: number, why: string): Row {
  const target = `at least ${least.toFixed(1)}x`;
  return { what, against, target, measured: ratio.text(times), met: ratio.median >= least, why };
}

/** `ratio` is luo's time by the other's. */
function slower(what: string, against: string, ratio: Samples, most: number, why: string): Row {
  return {
    what,
    against,
    target: `at most ${most}x`,
    measured: ratio.text(times),
    met: ratio.median <= most,
    why,
  };
}
