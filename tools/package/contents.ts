/** The files of the package, by their place in the file system. */
import { gzipSync } from "node:zlib";
import { manPages } from "../../commands/help/man_page.ts";
import { completionScript } from "../../commands/help/completion_script.ts";
import { routeTree } from "../../commands/help/route_tree.ts";
import { allRoutes } from "../../commands/program/route_to.ts";

/** A file: its content, or the file to copy. */
export interface Entry {
  readonly content: string | Uint8Array | { readonly from: string };
  readonly executable?: true;
}

export type Contents = Readonly<Record<string, Entry>>;

/** What only the caller knows. */
export interface Parts {
  readonly root: string;
  readonly binary: string;
  /** Debian's changelog. */
  readonly changelog: string;
}

/** Directories that the package has even when they are empty. */
export const DIRECTORIES: readonly string[] = ["etc/luo/participants.d"];

/** Files that an upgrade keeps as the administrator has changed them. */
export const CONFFILES: readonly string[] = ["/etc/luo/luo.conf"];

/** All files but those of dpkg itself. */
export async function contents({ root, binary, changelog }: Parts): Promise<Contents> {
  const tree = routeTree(await allRoutes());
  const pages = manPages(tree).map(({ name, section, text }) =>
    [`usr/share/man/man${section}/${name}.${section}.gz`, { content: gzip(text) }] as const
  );
  return {
    "usr/bin/luo": { content: { from: binary }, executable: true },
    "etc/luo/luo.conf": { content: { from: `${root}packaging/luo.conf` } },
    ...below(`${root}packaging/systemd`, "usr/lib/systemd/system"),
    ...below(`${root}packaging/initramfs`, "usr/lib/luo"),
    ...below(`${root}packaging/initramfs-tools`, "usr/share/initramfs-tools"),
    ...below(`${root}packaging/dracut`, "usr/lib/dracut/modules.d"),
    "usr/share/bash-completion/completions/luo": { content: completionScript("bash", tree) },
    "usr/share/zsh/vendor-completions/_luo": { content: completionScript("zsh", tree) },
    "usr/share/fish/vendor_completions.d/luo.fish": { content: completionScript("fish", tree) },
    ...Object.fromEntries(pages),
    "usr/share/doc/luo/copyright": { content: { from: `${root}packaging/debian/copyright` } },
    "usr/share/doc/luo/changelog.Debian.gz": { content: gzip(changelog) },
    "usr/share/doc/luo/changelog.gz": { content: gzip(Deno.readTextFileSync(`${root}CHANGELOG.md`)) },
    "usr/share/lintian/overrides/luo": { content: { from: `${root}packaging/debian/lintian-overrides` } },
  };
}

/** The files of a directory of the checkout and of the directories in it. A file that is executable there stays so. */
function below(source: string, place: string): Contents {
  const all: Record<string, Entry> = {};
  for (const { name, isDirectory } of Deno.readDirSync(source)) {
    const from = `${source}/${name}`;
    if (isDirectory) Object.assign(all, below(from, `${place}/${name}`));
    else if (!name.startsWith(".") && name !== "README.md") {
      const executable = ((Deno.statSync(from).mode ?? 0) & 0o100) !== 0;
      all[`${place}/${name}`] = { content: { from }, ...executable ? { executable } : {} };
    }
  }
  return all;
}

/** As `gzip -9n`: without a time. zlib writes 0 for the system; Linux is 3. */
function gzip(text: string): Uint8Array {
  return gzipSync(text, { level: 9 });
}
