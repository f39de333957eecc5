/** Files into memory and back: luo beside cat, cp and openssl. */
import { O_CLOEXEC, O_WRONLY } from "../../ffi/abi/fcntl.ts";
import { mkfifo, open } from "../../ffi/file.ts";
import { check } from "../../lib/error.ts";
import { startDigest } from "../../lib/files/digest.ts";
import { HostFd } from "../../lib/files/host_fd.ts";
import { copyToMemfd } from "../../lib/files/preserve_from.ts";
import { giveToFd, giveToFile, parseTarget } from "../../lib/files/restore_to.ts";
import { pattern } from "../files/scratch.ts";
import { ofPipeline, ofThisProcess } from "./processor_time.ts";
import { severalRows } from "./several_rows.ts";
import { ratios, type Row, type Samples, type Section, times } from "./report.ts";

const GIB = 1 << 30;
const PAIRS = 5;
const COPY = "/dev/shm/luo-bench-copy";

export const bulk: Section = {
  name: "bulk",
  title: "Bytes",
  about:
    `1 GiB, in the page cache. luo's own functions, without the start of a process; cat, cp and openssl with theirs. Copies
    lie in /dev/shm. Because other programs use the processors, the ratios are of processor time, in user and system mode: that
    of the busiest thread, or of the busiest process of a pipe, as the others work at the same time on other processors. Four
    files of 256 MiB are preserved by four commands of dist/luo at the same time, which keep all processors busy; the time is
    that of all of them, with their starts, and that of four cat and then four openssl.`,
  rows,
};

async function rows(): Promise<Row[]> {
  const directory = Deno.makeTempDirSync({ prefix: "luo-bench-" });
  const [dense, sparse, fifo] = [`${directory}/dense`, `${directory}/sparse`, `${directory}/fifo`];
  fill(dense);
  Deno.writeTextFileSync(sparse, "");
  Deno.truncateSync(sparse, GIB);
  check(mkfifo(fifo, 0o600), "create", fifo);
  try {
    using memfd = await copyToMemfd({ kind: "file", path: dense });
    return [
      ...await plain(dense, sparse, memfd),
      await toPipe(dense, memfd, fifo),
      ...await withDigest(dense, memfd),
      ...await severalRows(part(dense), directory),
    ];
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

async function plain(dense: string, sparse: string, memfd: HostFd): Promise<Row[]> {
  await preserve(dense);
  return [
    faster(
      "preserve 1 GiB",
      "cat FILE >/dev/shm/x",
      await ratios(PAIRS, () => copying(dense), () => preserve(dense)),
      1,
      "sendfile copies each byte once and cat twice, and most of the time goes into new pages.",
    ),
    slower(
      "preserve a sparse 1 GiB",
      "cp --sparse=always",
      await ratios(
        PAIRS,
        () => preserve(sparse),
        () => making(`cp --sparse=always ${sparse} ${COPY}`),
      ),
      2,
      "cp takes a millisecond; most of luo's time is the check of the available memory.",
    ),
    faster(
      "restore 1 GiB to a file",
      "cat MEMFD >/dev/shm/x",
      await ratios(PAIRS, () => copying(pathOf(memfd)), () => restore(memfd)),
      1,
      "luo looks for blocks of zeros, to leave them out.",
    ),
  ];
}

async function toPipe(dense: string, memfd: HostFd, fifo: string): Promise<Row> {
  const ratio = await ratios(
    PAIRS,
    () => ofPipeline(`cat ${dense}`, "cat >/dev/null"),
    () => piped(memfd, fifo),
  );
  return faster(
    "restore 1 GiB to a pipe",
    "a cat into a cat",
    ratio,
    2,
    "the cat that reads the pipe is the busiest in both cases, and what it does is the same. luo's own side takes 0.06 s for 1 GiB, " +
      "and the cat that writes 0.12 s.",
  );
}

async function withDigest(dense: string, memfd: HostFd): Promise<Row[]> {
  const slowest = (path: string) => Math.max(copying(path), ofPipeline(`openssl dgst -sha256 ${path}`));
  const why =
    "the thread that reads and digests takes as long as openssl when it is alone. It takes longer while the other one writes: both " +
    "use the same memory, and this run shared its caches with other programs.";
  const digest = await digestOfCopy(dense);
  return [
    slower(
      "preserve with digest",
      "cat or openssl dgst",
      await ratios(PAIRS, () => preserve(dense, true), () => slowest(dense)),
      1.15,
      why,
    ),
    slower(
      "restore with digest",
      "cat or openssl dgst",
      await ratios(PAIRS, () => restore(memfd, digest), () => slowest(pathOf(memfd))),
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

/** A file with the first quarter of the bytes. */
function part(dense: string): string {
  ofPipeline(`head -c ${GIB / 4} ${dense} >${dense}.part`);
  return `${dense}.part`;
}

function copying(path: string): number {
  return making(`cat ${path} >${COPY}`);
}

/** A command that makes the copy. */
function making(command: string): number {
  const time = ofPipeline(command);
  Deno.removeSync(COPY);
  return time;
}

function pathOf(memfd: HostFd): string {
  return `/proc/${Deno.pid}/fd/${memfd.number}`;
}

async function preserve(path: string, digest = false): Promise<number> {
  const running = digest ? await startDigest() : undefined;
  let memfd: HostFd | undefined;
  const time = await ofThisProcess(async () => {
    memfd = await copyToMemfd({ kind: "file", path }, {
      onData: running && ((bytes) => running.update(bytes)),
    });
    running?.text();
  });
  // The memory is not freed in that time: the agent takes the memfd over.
  memfd?.[Symbol.dispose]();
  return time;
}

async function digestOfCopy(path: string): Promise<string> {
  const running = await startDigest();
  using _ = await copyToMemfd({ kind: "file", path }, { onData: (bytes) => running.update(bytes) });
  return running.text();
}

async function restore({ number }: HostFd, digest?: string): Promise<number> {
  const file = { fd: number, name: "a memfd", size: BigInt(GIB) };
  const time = await ofThisProcess(() =>
    giveToFile(file, parseTarget(COPY), digest === undefined ? {} : { digest })
  );
  Deno.removeSync(COPY);
  return time;
}

/** luo's side or the reader's, whichever is busier. */
async function piped({ number }: HostFd, fifo: string): Promise<number> {
  const reader = new Deno.Command(Deno.execPath(), {
    args: [
      "eval",
      `import { ofPipeline } from ${JSON.stringify(import.meta.resolve("./processor_time.ts"))};
      console.log(ofPipeline(${JSON.stringify(`cat ${fifo} >/dev/null`)}));`,
    ],
    stdout: "piped",
  }).spawn();
  const fd = check(open(fifo, O_WRONLY | O_CLOEXEC), "open", fifo);
  const time = await ofThisProcess(async () => {
    using out = new HostFd(fd);
    await giveToFd({ fd: number, name: "a memfd", size: BigInt(GIB) }, { fd: out.number, name: "a pipe" });
  });
  return Math.max(time, Number(new TextDecoder().decode((await reader.output()).stdout)));
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
