/** Directories of /sys that only the model's kernel has: a program gets an fd of a directory of luo with the same names, to list. */
import { O_CLOEXEC, O_CREAT, O_DIRECTORY, O_RDONLY, O_WRONLY } from "../../ffi/abi/fcntl.ts";
import { chmod, close, lstat, mkdir, open, rmdir, symlink, unlink } from "../../ffi/file.ts";
import { list_directory } from "../../ffi/proc.ts";
import type { Ret } from "../system_calls.ts";

/** A name in such a directory. `link`: its text. */
export interface Listed {
  readonly name: string;
  readonly directory: boolean;
  readonly link?: string;
}

export class KernelDirectories implements Disposable {
  readonly #top = `/tmp/luo-${crypto.randomUUID()}`;
  #made = false;

  /** Whether a program was given such a directory in this boot. */
  get given(): boolean {
    return this.#made;
  }

  /** The directory of the machine behind a link in /proc to an fd, and the flags with which it was opened. */
  find(text: string): { readonly path: string; readonly flags: number } | undefined {
    if (!this.#made || !text.startsWith(`${this.#top}/`)) return undefined;
    const [, flags = "", path = ""] = /^\/([0-7]+)(\/.*)$/.exec(text.slice(this.#top.length)) ?? [];
    return { path, flags: parseInt(flags, 8) };
  }

  /** The caller closes the fd. */
  open(path: string, flags: number, names: readonly Listed[]): Ret {
    this.#made = true;
    const directory = `${this.#top}/${flags.toString(8)}${path}`;
    const made = this.#make(directory);
    if (made < 0) return made;
    this.#fill(directory, names);
    return open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  }

  #make(directory: string): Ret {
    const names = directory.slice(this.#top.length + 1).split("/");
    const paths = names.map((_, index) => `${this.#top}/${names.slice(0, index + 1).join("/")}`);
    for (const path of [this.#top, ...paths]) {
      if (typeof lstat(path) !== "number") continue;
      const made = mkdir(path, 0o755);
      if (made < 0) return made;
      chmod(path, 0o755);
    }
    return 0;
  }

  #fill(directory: string, names: readonly Listed[]): void {
    for (const name of list_directory(directory)) {
      if (!names.some((listed) => listed.name === name)) remove(`${directory}/${name}`);
    }
    for (const { name, directory: isDirectory, link } of names) {
      const path = `${directory}/${name}`;
      if (typeof lstat(path) !== "number") continue;
      if (link !== undefined) symlink(link, path);
      else if (isDirectory) mkdir(path, 0o755);
      else close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0o444));
    }
  }

  [Symbol.dispose](): void {
    if (this.#made) remove(this.#top);
  }
}

function remove(path: string): void {
  if (unlink(path) === 0) return;
  for (const name of list_directory(path)) remove(`${path}/${name}`);
  rmdir(path);
}
