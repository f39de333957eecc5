/** Programs of the host that a virtual machine needs, and the packages that bring them. */
import { access_executable, stat } from "../../ffi/file.ts";
import { S_IFMT, S_IFREG } from "../../ffi/abi/fcntl.ts";
import { inheritedEnvironment } from "../files/inherited_environment.ts";

/** A virtual machine needs something that is not on this host. */
export class MissingTool extends Error {
  override readonly name = "MissingTool";

  readonly what: string;
  readonly remedy: string;

  constructor(what: string, remedy: string) {
    super(`${what}\n  ${remedy}`);
    this.what = what;
    this.remedy = remedy;
  }
}

/** The remedy for a program that is missing. */
export function install(debianPackage: string): string {
  return `on Debian: apt-get install --no-install-recommends ${debianPackage}`;
}

/** Directories that can be missing from the PATH of a user who is not root. */
const MORE_PLACES = ["/usr/sbin", "/sbin"];
const DEFAULT_PATH = "/usr/bin:/bin";

/** The path of a program, found as a shell would find it. @throws MissingTool */
export function findTool(name: string, debianPackage: string): string {
  const path = inheritedEnvironment().find((one) => one.startsWith("PATH="))?.slice("PATH=".length) ??
    DEFAULT_PATH;
  const places = [...path.split(":").filter((one) => one !== ""), ...MORE_PLACES];
  const found = places.map((directory) => `${directory}/${name}`).find(isProgram);
  if (found !== undefined) return found;
  const what = `Cannot start a virtual machine: "${name}" is not installed`;
  throw new MissingTool(what, install(debianPackage));
}

function isProgram(path: string): boolean {
  const found = stat(path);
  return typeof found !== "number" && (found.mode & S_IFMT) === S_IFREG && access_executable(path);
}
