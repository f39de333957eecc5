/** The participants that are executables in a directory, each with what `NAME.json` beside it declares. */
import { Errno, errnoName } from "../../../ffi/abi/errno.ts";
import { access_executable, stat } from "../../../ffi/file.ts";
import { read_directory, read_text } from "../../../ffi/proc.ts";
import { compiled } from "../../schema/compiled.ts";
import { deadlines } from "../../schema/update_participant.ts";
import { list, maybe, struct, text } from "../../schema/parts.ts";
import { sessionNameProblem } from "../../session.ts";
import type { UpdateParticipant } from "../../schema/types.ts";

/** The deadlines that a participant declares, in seconds. */
export type Deadlines = UpdateParticipant["seconds"];

/** A participant of this host that can be called. */
export interface Declared {
  readonly name: string;
  /** The path of its executable. */
  readonly path: string;
  readonly after: readonly string[];
  readonly seconds: Deadlines;
}

/** The executables of a directory, or what is wrong with them: sentences that name the file. */
export interface Found {
  readonly participants: readonly Declared[];
  readonly problems: readonly string[];
}

const S_IFMT = 0o170000;
const S_IFREG = 0o100000;
const S_IFDIR = 0o040000;
/** The mode bits that let other users write. */
const S_IWOTH = 0o002;
/** Names that no executable of a participant has: hidden files, and those that editors and packages leave. */
const LEFT_OUT = /^\.|~$|\.(json|dpkg-\w+|rpmsave|rpmnew|bak|swp)$/;

/** Finds the participants. A directory that is missing has none; one that cannot be read may have some, whose workloads would be lost. */
export function findParticipants(directory: string): Found {
  const found = stat(directory);
  if (found === -Errno.ENOENT) return { participants: [], problems: [] };
  if (typeof found === "number") return problem(`"${directory}" cannot be read (${errnoName(-found)})`);
  if ((found.mode & S_IFMT) !== S_IFDIR) return problem(`"${directory}" is no directory`);
  if (found.mode & S_IWOTH) return problem(`others may write to "${directory}": make it private (chmod o-w)`);
  const files = read_directory(directory);
  if (typeof files === "number") return problem(`"${directory}" cannot be read (${errnoName(-files)})`);
  const all = files.filter((name) => !LEFT_OUT.test(name)).toSorted()
    .map((name) => participantAt(`${directory}/${name}`)).filter((one) => one !== undefined);
  const participants = all.filter((one) => typeof one !== "string");
  const names = participants.map(({ name }) => name);
  const twice = participants.filter(({ name }, at) => names.indexOf(name) !== at)
    .map(({ name, path }) => `"${path}" is the second participant of the name "${name}"`);
  return { participants, problems: [...all.filter((one) => typeof one === "string"), ...twice] };
}

function problem(sentence: string): Found {
  return { participants: [], problems: [sentence] };
}

/** The participant, or what is wrong with it; undefined when the file is no executable. */
function participantAt(path: string): Declared | string | undefined {
  const found = stat(path);
  if (found === -Errno.ENOENT) return undefined;
  if (typeof found === "number") return `"${path}" cannot be looked at (${errnoName(-found)})`;
  return (found.mode & S_IFMT) === S_IFREG && access_executable(path) ? declared(path) : undefined;
}

/** The name of a participant: that of its file without the last extension. */
export function participantName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1).replace(/(?<=.)\.[^.]+$/, "");
}

const Declaration = struct({ after: maybe(list(text)), seconds: maybe(deadlines) });

/** The participant, or what is wrong with it. */
function declared(path: string): Declared | string {
  const name = participantName(path);
  const wrong = sessionNameProblem(name);
  if (wrong !== undefined) return `"${path}" gives its name to a session, and ${wrong}`;
  const directory = path.slice(0, path.lastIndexOf("/"));
  const file = `${directory}/${name}.json`;
  const written = read_text(file);
  if (written === undefined) {
    return typeof stat(file) === "number"
      ? { name, path, after: [], seconds: {} }
      : `"${file}" cannot be read`;
  }
  const declaration = parsed(written);
  if (declaration === undefined) {
    return `"${file}" is no declaration of a participant: {"after": ["NAME"], "seconds": {"prepare": 300}}`;
  }
  const { after = [], seconds = {} } = declaration;
  if (Object.values(seconds).some((limit) => limit < 1)) return `"${file}" has a deadline under 1 second`;
  return { name, path, after, seconds };
}

function parsed(written: string): { after?: string[]; seconds?: Deadlines } | undefined {
  try {
    const value: unknown = JSON.parse(written);
    return compiled(Declaration)(value) ? value as { after?: string[]; seconds?: Deadlines } : undefined;
  } catch {
    return undefined;
  }
}
