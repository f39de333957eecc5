/** Makes luo_VERSION_ARCH.deb with dpkg-deb, and the tarball with the same files. The same input gives the same bytes. */
import { createHash } from "node:crypto";
import type { Target } from "../binary/elf.ts";
import { output } from "../binary/output.ts";
import { CONFFILES, type Contents, contents, DIRECTORIES, type Entry } from "./contents.ts";
import { changelog, control } from "./control.ts";

export interface Wanted {
  readonly target: Target;
  /** The single executable. */
  readonly binary: string;
  /** Where the package goes. */
  readonly directory: string;
  /** Debian's version, with a revision. */
  readonly version: string;
  /** Seconds since 1970: the time of every file. */
  readonly date: number;
  /** Does not compress: 96 MB in place of 31, in one second in place of a minute. */
  readonly quick: boolean;
}

const DEBIAN_NAMES: Readonly<Record<Target, string>> = { x86_64: "amd64", aarch64: "arm64" };
const SCRIPTS = ["postinst", "prerm", "postrm"];
const ROOT = new URL("../..", import.meta.url).pathname;

/** @returns the paths of the package and of the tarball */
export async function makePackage(wanted: Wanted): Promise<readonly string[]> {
  const { target, binary, version, date, quick } = wanted;
  const architecture = DEBIAN_NAMES[target];
  const stage = await Deno.makeTempDir({ prefix: "luo-package-" });
  try {
    const files = await contents({ root: ROOT, binary, changelog: changelog(version, date) });
    for (const directory of DIRECTORIES) makeDirectory(`${stage}/${directory}`);
    for (const [path, entry] of Object.entries(files)) write(`${stage}/${path}`, entry);
    const size = Object.keys(files).reduce((sum, path) => sum + Deno.statSync(`${stage}/${path}`).size, 0);
    for (const [name, entry] of controlFiles(files, stage, control({ architecture, version, size }))) {
      write(`${stage}/DEBIAN/${name}`, entry);
    }
    setTimes(stage, date);
    const name = `${wanted.directory}/luo_${version}_${architecture}`;
    await removeOld(wanted.directory, `luo_${version}_${architecture}.`);
    return [await build(stage, `${name}.deb`, date, quick), await tarball(`${name}.deb`, name)];
  } finally {
    await Deno.remove(stage, { recursive: true });
  }
}

/** The tarball's name depends on the compression: an old one must not stay beside the new one. */
async function removeOld(directory: string, prefix: string): Promise<void> {
  for (const { name } of Array.from(Deno.readDirSync(directory))) {
    if (name.startsWith(prefix)) await Deno.remove(`${directory}/${name}`);
  }
}

function controlFiles(files: Contents, stage: string, control: string): [name: string, entry: Entry][] {
  const sums = Object.keys(files).filter((path) => !path.startsWith("etc/")).sort().map((path) =>
    `${createHash("md5").update(Deno.readFileSync(`${stage}/${path}`)).digest("hex")}  ${path}\n`
  );
  return [
    ["control", { content: control }],
    ["conffiles", { content: CONFFILES.map((path) => `${path}\n`).join("") }],
    ["md5sums", { content: sums.join("") }],
    ...SCRIPTS.map((name): [string, Entry] => [
      name,
      { content: { from: `${ROOT}packaging/debian/${name}` }, executable: true },
    ]),
  ];
}

function write(path: string, { content, executable }: Entry): void {
  makeDirectory(path.slice(0, path.lastIndexOf("/")));
  if (content instanceof Uint8Array) Deno.writeFileSync(path, content);
  else if (typeof content === "string") Deno.writeTextFileSync(path, content);
  else Deno.copyFileSync(content.from, path);
  // Whatever the umask of the builder is.
  Deno.chmodSync(path, executable ? 0o755 : 0o644);
}

function makeDirectory(path: string): void {
  Deno.mkdirSync(path, { recursive: true });
}

/** Gives every file its time, and every directory its mode. */
function setTimes(path: string, date: number): void {
  for (const { name, isDirectory } of Deno.readDirSync(path)) {
    if (isDirectory) setTimes(`${path}/${name}`, date);
    else Deno.utimeSync(`${path}/${name}`, date, date);
  }
  Deno.chmodSync(path, 0o755);
  Deno.utimeSync(path, date, date);
}

/** Sorted, owned by root, and compressed by one thread: more threads give other bytes. */
async function build(stage: string, deb: string, date: number, quick: boolean): Promise<string> {
  const compression = quick ? ["-Znone"] : ["-Zxz", "-z6"];
  const env = [`SOURCE_DATE_EPOCH=${date}`, "LC_ALL=C"];
  const options = ["--root-owner-group", "--threads-max=1", ...compression];
  await output("env", [...env, "dpkg-deb", ...options, "--build", stage, deb], ROOT);
  return deb;
}

/** The files of the package as they are in it: no second compression, and no difference. */
async function tarball(deb: string, name: string): Promise<string> {
  const member = (await output("ar", ["t", deb], ROOT)).split("\n").find((one) => one.startsWith("data.tar"));
  if (member === undefined) throw new Error(`Cannot find the files in "${deb}"`);
  const path = `${name}${member.slice("data".length)}`;
  const { stdout } = await new Deno.Command("ar", { args: ["p", deb, member] }).output();
  await Deno.writeFile(path, stdout);
  return path;
}
