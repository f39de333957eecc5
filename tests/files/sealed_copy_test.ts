/** lib/files/sealed_copy.ts: sealed copies of kernels and initramfs, from real files. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Errno } from "../../ffi/abi/errno.ts";
import {
  F_GET_SEALS,
  MFD_ALLOW_SEALING,
  O_CLOEXEC,
  O_RDONLY,
  O_RDWR,
  O_WRONLY,
} from "../../ffi/abi/fcntl.ts";
import { fcntl, fstat, ftruncate, lseek, memfd_create, open, pipe2, pwrite, write } from "../../ffi/file.ts";
import { LuoError } from "../../lib/error.ts";
import { HostFd } from "../../lib/files/host_fd.ts";
import { SealedCopy } from "../../lib/files/sealed_copy.ts";

const text = (words: string) => new TextEncoder().encode(words);

/** A directory with files, removed at the end of its scope. */
class Files implements Disposable {
  readonly directory = Deno.makeTempDirSync({ prefix: "luo-image-" });

  write(name: string, contents: Uint8Array): string {
    Deno.writeFileSync(`${this.directory}/${name}`, contents);
    return `${this.directory}/${name}`;
  }

  open(name: string, contents: Uint8Array, flags = O_RDONLY): HostFd {
    return new HostFd(open(this.write(name, contents), flags | O_CLOEXEC));
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.directory, { recursive: true });
  }
}

function copyOf(fd: HostFd | number, name = '"x"'): SealedCopy {
  return SealedCopy.of([{ fd: typeof fd === "number" ? fd : fd.number, name }]);
}

/** `kexec load: Cannot load "x": the file is empty (EINVAL)`, or `copied`. */
function failure(run: () => Disposable): string {
  try {
    using _ = run();
  } catch (error) {
    if (error instanceof LuoError) return `${error.operation}: ${error.message}`;
    throw error;
  }
  return "copied";
}

Deno.test("a copy keeps the bytes of its moment and cannot be changed", () => {
  using files = new Files();
  const bytes = crypto.getRandomValues(new Uint8Array(60_000));
  using fd = files.open("a", bytes);
  lseek(fd.number, 5n, 0);
  using copy = copyOf(fd);
  files.write("a", text("something else"));
  assert.deepEqual(copy.read(0, 100_000), bytes);
  assert.equal(copy.size, bytes.length);
  assert.equal(copy.digest(), `sha256:${createHash("sha256").update(bytes).digest("hex")}`);
  assert.equal(lseek(fd.number, 0n, 1), 5n);
  assert.equal(pwrite(copy.fd.number, text("x"), 0n), -Errno.EPERM);
  assert.equal(ftruncate(copy.fd.number, 0n), -Errno.EPERM);
});

Deno.test("a file of more than one piece is copied completely", () => {
  using files = new Files();
  const bytes = new Uint8Array((8 << 20) + 12_345).map((_, at) => at >> 8);
  using fd = files.open("a", bytes);
  using copy = copyOf(fd);
  assert.equal(copy.digest(), `sha256:${createHash("sha256").update(bytes).digest("hex")}`);
});

Deno.test("several files are copied one after the other, each at a multiple of four bytes", () => {
  using files = new Files();
  const sources = ["12345", "1234", "x"].map((words, at) => ({
    fd: files.open(String(at), text(words)),
    name: `initrd "${at}"`,
  }));
  using copy = SealedCopy.of(sources.map(({ fd, name }) => ({ fd: fd.number, name })));
  assert.equal(new TextDecoder().decode(copy.read(0, 100)), "12345\0\0\x001234x");
  assert.equal(copy.size, 13);
  for (const { fd } of sources) fd[Symbol.dispose]();
});

Deno.test("a sealed memfd is its own copy", () => {
  using files = new Files();
  using fd = files.open("a", text("kernel"));
  using first = copyOf(fd);
  using second = copyOf(first.fd);
  const ino = (copy: SealedCopy) => {
    const stat = fstat(copy.fd.number);
    return typeof stat === "number" ? stat : stat.ino;
  };
  assert.equal(ino(second), ino(first));
  assert.equal(fcntl(second.fd.number, F_GET_SEALS) & 0xf, 0xf);
});

Deno.test("a memfd that is not sealed is copied", () => {
  using memfd = new HostFd(memfd_create("kernel", MFD_ALLOW_SEALING));
  write(memfd.number, text("kernel"));
  using copy = copyOf(memfd);
  pwrite(memfd.number, text("other!"), 0n);
  assert.deepEqual(copy.read(0, 100), text("kernel"));
});

Deno.test("an error names its file", () => {
  using files = new Files();
  using empty = files.open("empty", new Uint8Array(0));
  using directory = new HostFd(open(files.directory, O_RDONLY | O_CLOEXEC));
  using huge = files.open("huge", text("x"), O_RDWR);
  ftruncate(huge.number, 1n << 31n);
  using busy = files.open("busy", text("x"));
  using writer = new HostFd(open(`${files.directory}/busy`, O_WRONLY | O_CLOEXEC));
  using good = files.open("good", text("x"));
  const [read = -1, other = -1] = [pipe2(O_CLOEXEC)].flat();
  using pipe = new HostFd(read);
  using _ = new HostFd(other);
  assert.equal(failure(() => copyOf(empty)), 'kexec load: Cannot load "x": the file is empty (EINVAL)');
  assert.equal(failure(() => copyOf(directory)), 'kexec load: Cannot load "x": it is a directory (EISDIR)');
  assert.equal(failure(() => copyOf(pipe)), 'kexec load: Cannot load "x": it is no regular file (EINVAL)');
  assert.equal(failure(() => copyOf(busy)), 'kexec load: Cannot load "x": it is open for writing (ETXTBSY)');
  const both = [good, empty].map(({ number: fd }, at) => ({ fd, name: `initrd "${at}"` }));
  assert.match(failure(() => SealedCopy.of(both)), /Cannot load initrd "1": the file is empty/);
  writer[Symbol.dispose]();
  assert.equal(failure(() => copyOf(busy)), "copied");
  huge[Symbol.dispose]();
  using again = new HostFd(open(`${files.directory}/huge`, O_RDONLY | O_CLOEXEC));
  assert.match(
    failure(() => copyOf(again)),
    /it has 2147483648 bytes, the kernel takes at most .* \(EFBIG\)/,
  );
});
