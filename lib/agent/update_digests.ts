/** Proof of an update: digests of the participants' files before the kexec, and what became of them after it. */
import { F_SEAL_WRITE } from "../../ffi/abi/fcntl.ts";
import { check, LuoError } from "../error.ts";
import type { Fd } from "../fd.ts";
import type { AgentState } from "./agent_state.ts";
import type { FileInfo, FileVerdict } from "./protocol.ts";
import { digestByProcess, exposed, sideBySide } from "./update/digest_process.ts";

/** Whether files that are preserved now get a digest later: their descriptors are kept until then. */
export function digesting({ update }: AgentState): boolean {
  return update?.digest === true && (update.state === "preparing" || update.state === "freezing");
}

function sealed({ seals }: FileInfo): boolean {
  return (seals & F_SEAL_WRITE) !== 0;
}

/**
 * Takes the digests that are missing: of files that are sealed against writing while workloads still run, of all others when they
 * stand still.
 *
 * @throws LuoError
 */
export async function takeDigests(
  state: AgentState,
  sessions: readonly string[],
  which: "sealed" | "all",
  progress: Progress,
): Promise<void> {
  const missing = sessions.flatMap((name) =>
    (state.outgoing.get(name)?.info.files ?? [])
      .filter((file) => file.digest === undefined && (which === "all" || sealed(file)))
      .map((file) => ({ name, file }))
  );
  const part = parts(missing.map(({ file }) => file), progress);
  await sideBySide(missing, async ({ name, file }) => {
    const fd = state.preserved.get(name, file.token);
    // Without a descriptor there is no digest, and the verdict will be "unknown".
    if (fd !== undefined) {
      file.digest = await digest(fd, `file ${file.token} of session "${name}"`, part(file));
    }
    part(file)(file.size);
  });
  for (const name of new Set(missing.map(({ name }) => name))) {
    state.saveDone(`The digests of session "${name}" are taken`, { list: "outgoing", name });
  }
}

async function digest(fd: Fd, name: string, hashed: (bytes: number) => void): Promise<string> {
  using file = exposed(check(fd.sys.expose(fd.number), "read", name));
  return await digestByProcess(file.number, name, hashed);
}

/** Hears how far the work on some files is. */
export type Progress = (done: number, total: number) => void;

/** For each file: hears how many of its bytes are hashed. */
function parts(files: readonly FileInfo[], progress: Progress): (file: FileInfo) => (bytes: number) => void {
  const total = files.reduce((sum, { size }) => sum + size, 0);
  const hashed = new Map<FileInfo, number>();
  return (file) => (bytes) => {
    hashed.set(file, Math.min(bytes, file.size));
    progress([...hashed.values()].reduce((sum, one) => sum + one, 0), total);
  };
}

/** Compares the files of a retrieved session with their digests, before a participant takes and changes them. */
export async function verify(
  state: AgentState,
  session: string,
  progress: Progress,
): Promise<FileVerdict[]> {
  const files = state.incoming.get(session)?.info.files ?? [];
  const verdicts: FileVerdict[] = [];
  const part = parts(files, progress);
  await sideBySide(files, async (file) => {
    const { token, label } = file;
    const verdict = await verdictOf(state, session, file, part(file));
    part(file)(file.size);
    verdicts.push({ session, token, ...(label === undefined ? {} : { label }), ...verdict });
  });
  return verdicts.toSorted((one, other) => Number(BigInt(one.token) - BigInt(other.token)));
}

async function verdictOf(
  state: AgentState,
  session: string,
  file: FileInfo,
  hashed: (bytes: number) => void,
): Promise<Pick<FileVerdict, "verdict" | "reason">> {
  const open = state.incoming.get(session)?.session;
  // A file that was given out may have been changed since.
  if (file.state === "restored") {
    return { verdict: "unknown", reason: "it was restored before it could be compared" };
  }
  if (open === undefined) return { verdict: "missing", reason: "the session is gone" };
  try {
    using fd = open.restore(BigInt(file.token));
    if (file.digest === undefined) return { verdict: "unknown", reason: "no digest was taken" };
    const found = await digest(fd, `file ${file.token} of session "${session}"`, hashed);
    if (found === file.digest) return { verdict: "same" };
    return { verdict: sealed(file) ? "damaged" : "changed" };
  } catch (error) {
    if (!(error instanceof LuoError)) throw error;
    return { verdict: error.is("ENOENT") ? "missing" : "unknown", reason: error.summary };
  }
}
