/** The Debian package: the same bytes each time, what is in it, lintian's opinion, and its whole life on a system. */
import assert from "node:assert/strict";
import { standInBzImage } from "../../lib/kexec/bzimage.ts";
import { has, output, Packages } from "./packages.ts";

const HERE = new URL(".", import.meta.url).pathname;

/** Made once: the packages take some seconds. */
const packages = await Packages.make();
globalThis.addEventListener("unload", () => packages[Symbol.dispose]());
const deb = packages.path("0.1.0-1");

Deno.test("two builds give the same bytes, whatever umask and time zone are", async () => {
  const other = `${packages.directory}/other`;
  Deno.mkdirSync(other);
  const before = Deno.umask(0o077);
  Deno.env.set("TZ", "Asia/Tokyo");
  try {
    const second = await packages.add("0.1.0-1", other);
    assert.ok(Deno.readFileSync(second).toHex() === Deno.readFileSync(deb).toHex());
  } finally {
    Deno.umask(before);
    Deno.env.delete("TZ");
  }
});

/** Mode and owner of each file, by its path. */
function listing(): Map<string, string> {
  return new Map(
    output("dpkg-deb", "-c", deb).trim().split("\n").map((line) => {
      const [mode = "", owner = "", , , , path = ""] = line.split(/\s+/);
      return [path, `${mode} ${owner}`];
    }),
  );
}

Deno.test("the package has binary, settings, units, completions and manual, owned by root", () => {
  const files = listing();
  const expected = [
    "etc/luo/luo.conf",
    "usr/share/bash-completion/completions/luo",
    "usr/share/zsh/vendor-completions/_luo",
    "usr/share/fish/vendor_completions.d/luo.fish",
    "usr/share/man/man1/luo.1.gz",
    "usr/share/man/man1/luo-session.1.gz",
    "usr/share/man/man5/luo.conf.5.gz",
    "usr/share/man/man8/luo-agent.service.8.gz",
    "usr/share/doc/luo/copyright",
    "usr/share/doc/luo/changelog.Debian.gz",
  ];
  const units = Array.from(Deno.readDirSync(`${HERE}../../packaging/systemd`), ({ name }) => name)
    .filter((name) => name !== "README.md").map((name) => `usr/lib/systemd/system/${name}`);
  for (const path of [...expected, ...units]) {
    assert.equal(files.get(`./${path}`), "-rw-r--r-- root/root", path);
  }
  assert.equal(files.get("./usr/bin/luo"), "-rwxr-xr-x root/root");
  assert.equal(files.get("./etc/luo/participants.d/"), "drwxr-xr-x root/root");
  for (const [path, mode] of files) {
    if (path.endsWith("/")) assert.equal(mode, "drwxr-xr-x root/root", path);
  }
});

Deno.test("the tarball has the same files", () => {
  const tar = output("tar", "-tf", deb.replace(/\.deb$/, ".tar"));
  assert.deepEqual(tar.trim().split("\n").sort(), Array.from(listing().keys()).sort());
});

Deno.test("lintian has nothing to say but what is overridden", { ignore: !has("lintian") }, () => {
  // The packages of the tests are not compressed.
  const suppressed = "uses-no-compression-for-control-tarball,uses-no-compression-for-data-tarball";
  const said = output(
    "lintian",
    "--allow-root",
    "--suppress-tags",
    suppressed,
    "--fail-on",
    "error,warning",
    deb,
  );
  assert.equal(said.replace(/^N:.*\n/gm, ""), "");
});

/** Whether this user can have a system of its own on top of this one. */
const canOverlay = has("dpkg") && has("jq") && Deno.uid() === 0 && has("unshare");

Deno.test("installed, upgraded while a session is held, removed, purged", { ignore: !canOverlay }, () => {
  Deno.writeFileSync(`${packages.directory}/kernel`, standInBzImage({ release: "7.3.4-standin" }));
  const script = Deno.readTextFileSync(`${HERE}lifecycle.sh`);
  const out = output(`${HERE}chroot.sh`, `${packages.directory}/system`, script);
  assert.match(out, /--- done\n$/);
});
