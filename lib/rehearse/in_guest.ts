/** The part of a rehearsal that runs in the guest: preserves and executes the kexec in boot 1, verifies in boot 2. */
import { Errno } from "../../ffi/abi/errno.ts";
import { F_ADD_SEALS, F_GET_SEALS, MFD_ALLOW_SEALING, MFD_CLOEXEC, MFD_EXEC } from "../../ffi/abi/fcntl.ts";
import { O_CLOEXEC, O_RDONLY } from "../../ffi/abi/fcntl.ts";
import { equal_bytes } from "../../ffi/memory.ts";
import { check, LuoError } from "../error.ts";
import { Fd } from "../fd.ts";
import { exec, loadImage } from "../kexec/load.ts";
import { openDevice, type RestorableSession } from "../session.ts";
import type { Stat, SystemCalls } from "../system_calls.ts";
import { Pattern } from "./pattern.ts";
import type { Plan, PlannedFile, PlannedSession } from "./plan.ts";

/** The order for the guest. The host writes it. */
export interface GuestOrder {
  readonly plan: Plan;
  readonly kernel: string;
  readonly initrd: string;
  readonly commandLine: string;
}

/** A report of the guest: a line of JSON. */
export type GuestReport =
  | { readonly step: "preserved" }
  | {
    readonly step: "failed";
    readonly while: "preserving" | "loading" | "executing";
    readonly error: string;
  }
  | {
    readonly step: "verified";
    readonly files: number;
    readonly bytes: number;
    /** One sentence for each thing that did not come over. */
    readonly problems: readonly string[];
  };

/** Boot 1: preserves, loads and executes. It returns only after it has reported a failure. */
export function beforeKexec(
  sys: SystemCalls,
  order: GuestOrder,
  report: (line: GuestReport) => void,
): void {
  const attempt = (what: "preserving" | "loading" | "executing", run: () => void) => {
    try {
      run();
      return true;
    } catch (error) {
      if (!(error instanceof LuoError)) throw error;
      report({ step: "failed", while: what, error: error.summary });
      return false;
    }
  };
  // The sessions stay open: they live as long as their descriptors.
  if (!attempt("preserving", () => preserveAll(sys, order.plan))) return;
  report({ step: "preserved" });
  if (!attempt("loading", () => load(sys, order))) return;
  attempt("executing", () => exec(sys));
}

function preserveAll(sys: SystemCalls, { sessions }: Plan): void {
  using device = openDevice(sys);
  const pattern = new Pattern();
  let number = 0;
  for (const { name, files } of sessions) {
    const session = device.create(name);
    for (const file of files) {
      using memfd = makeFile(sys, file, number++, pattern);
      session.preserve(memfd, BigInt(file.token));
    }
  }
  device.settle();
}

function makeFile(sys: SystemCalls, { size, seals }: PlannedFile, number: number, pattern: Pattern): Fd {
  const flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  let answer = sys.memfd_create("rehearsal", flags | MFD_EXEC);
  // Kernels before 6.3 do not know MFD_EXEC.
  if (answer === -Errno.EINVAL) answer = sys.memfd_create("rehearsal", flags);
  const fd = new Fd(sys, check(answer, "create", "a memfd"));
  for (let at = 0; at < size;) {
    let rest = pattern.at(number, at, size);
    at += rest.length;
    while (rest.length > 0) rest = rest.subarray(check(sys.write(fd.number, rest), "write", "a memfd"));
  }
  if (seals !== 0) check(sys.fcntl(fd.number, F_ADD_SEALS, seals), "seal", "a memfd");
  return fd;
}

function load(sys: SystemCalls, { kernel, initrd, commandLine }: GuestOrder): void {
  const open = (path: string) => new Fd(sys, check(sys.open(path, O_RDONLY | O_CLOEXEC), "open", path));
  using image = open(kernel);
  using initramfs = open(initrd);
  loadImage(sys, { kernel: image, initrd: initramfs, commandLine });
}

/** Boot 2: restores and compares. */
export function afterKexec(sys: SystemCalls, { plan }: GuestOrder): GuestReport {
  const problems: string[] = [];
  const found = { files: 0, bytes: 0 };
  const attempt = (run: () => void) => {
    try {
      run();
    } catch (error) {
      if (!(error instanceof LuoError)) throw error;
      problems.push(error.summary);
    }
  };
  attempt(() => {
    using device = openDevice(sys);
    const pattern = new Pattern();
    let first = 0;
    for (const planned of plan.sessions) {
      attempt(() => {
        const session = device.retrieve(planned.name);
        verifySession(session, planned, first, pattern, attempt, (problem, bytes) => {
          if (problem !== undefined) problems.push(problem);
          else found.files++;
          found.bytes += bytes;
        });
        session.finish();
      });
      first += planned.files.length;
    }
  });
  return { step: "verified", ...found, problems };
}

function verifySession(
  session: RestorableSession,
  { name, files }: PlannedSession,
  first: number,
  pattern: Pattern,
  attempt: (run: () => void) => void,
  note: (problem: string | undefined, bytes: number) => void,
): void {
  for (const [index, file] of files.entries()) {
    attempt(() => {
      using fd = session.restore(BigInt(file.token));
      const wrong = difference(fd, file, first + index, pattern);
      note(wrong && `File ${file.token} of session "${name}" ${wrong}`, wrong === undefined ? file.size : 0);
    });
  }
}

/** How a restored file differs from the preserved one; undefined when every byte is right. */
function difference(
  { sys, number }: Fd,
  file: PlannedFile,
  index: number,
  pattern: Pattern,
): string | undefined {
  const { size } = check<Stat>(sys.fstat(number), "read", "a restored file");
  if (size !== BigInt(file.size)) return `has ${size} bytes, ${file.size} were preserved`;
  const seals = sys.fcntl(number, F_GET_SEALS);
  if ((file.seals & ~seals) !== 0) return `has the seals ${seals}, ${file.seals} were preserved`;
  const buffer = new Uint8Array(1 << 20);
  for (let at = 0; at < file.size;) {
    const expected = pattern.at(index, at, file.size);
    const got = buffer.subarray(0, expected.length);
    if (sys.pread(number, got, BigInt(at)) !== got.length) return `cannot be read at byte ${at}`;
    if (!equal_bytes(got, expected)) return `differs in the MiB at byte ${at}`;
    at += got.length;
  }
}
