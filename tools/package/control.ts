/** The files that describe the package to dpkg. */

const MAINTAINER = "The luo authors <maintainers@luo.invalid>";

/** DEBFULLNAME and DEBEMAIL name whoever builds a package for others, as for Debian's own tools. */
function maintainer(): string {
  const [name, email] = [Deno.env.get("DEBFULLNAME"), Deno.env.get("DEBEMAIL")];
  return name && email ? `${name} <${email}>` : MAINTAINER;
}

export interface Described {
  /** Debian's name. */
  readonly architecture: string;
  readonly version: string;
  /** Bytes of all files. */
  readonly size: number;
}

/** The libraries are those that the runtime is linked with; it needs symbols up to GLIBC_2.27. */
export function control({ architecture, version, size }: Described): string {
  return `Package: luo
Version: ${version}
Architecture: ${architecture}
Maintainer: ${maintainer()}
Installed-Size: ${Math.ceil(size / 1024)}
Depends: libc6 (>= 2.27), libgcc-s1 (>= 3.0)
Suggests: busybox-static, jq, qemu-system
Section: admin
Priority: optional
Description: keep files alive across a kexec, with Linux's live update
 Linux can replace its kernel without losing memory: a live update keeps file
 descriptors alive across a kexec. luo holds named sessions of files through
 the kexec, loads and checks the next kernel, finds everything again
 afterwards and verifies it.
 .
 The package has the command luo, its agent as a service, completions for
 bash, zsh and fish, and the manual. It needs a kernel with live update (Linux
 6.19 and later, CONFIG_LIVEUPDATE=y). Without one, the same commands run on
 a software model of the kernel.
`;
}

/** Debian's changelog. The changes themselves are in changelog.gz. */
export function changelog(version: string, date: number): string {
  const time = new Date(date * 1000).toUTCString().replace("GMT", "+0000");
  return `luo (${version}) unstable; urgency=medium

  * Package of luo ${version.replace(/-[^-]*$/, "")}: changelog.gz has the changes.

 -- ${maintainer()}  ${time}
`;
}
