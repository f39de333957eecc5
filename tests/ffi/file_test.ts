/** ffi/file.ts on real files, and the errno of every wrapper. */
import assert from "node:assert/strict";
import { Errno, errnoName } from "../../ffi/abi/errno.ts";
import * as abi from "../../ffi/abi/fcntl.ts";
import { HUGETLBFS_MAGIC, TMPFS_MAGIC } from "../../ffi/abi/stat.ts";
import * as file from "../../ffi/file.ts";
import * as system from "../../ffi/system.ts";

/** A number that no open fd has. */
const CLOSED_FD = 1 << 20;
const bytes = (...values: number[]) => new Uint8Array(values);
const memfd = () => file.memfd_create("luo-test", abi.MFD_CLOEXEC | abi.MFD_ALLOW_SEALING);

/** Every wrapper with an argument that Linux refuses, and the errno. */
const REFUSED: [name: string, call: () => unknown, errno: string][] = [
  ["open", () => file.open("/no/such/file", 0), "ENOENT"],
  ["open a directory for writing", () => file.open("/", abi.O_RDWR), "EISDIR"],
  ["close", () => file.close(CLOSED_FD), "EBADF"],
  ["dup", () => file.dup(CLOSED_FD), "EBADF"],
  ["dup_cloexec", () => file.dup_cloexec(CLOSED_FD), "EBADF"],
  ["fcntl", () => file.fcntl(CLOSED_FD, abi.F_GETFL), "EBADF"],
  ["read", () => file.read(CLOSED_FD, bytes(0)), "EBADF"],
  ["write", () => file.write(CLOSED_FD, bytes(0)), "EBADF"],
  ["pread", () => file.pread(CLOSED_FD, bytes(0), 0n), "EBADF"],
  ["pwrite", () => file.pwrite(CLOSED_FD, bytes(0), 0n), "EBADF"],
  ["lseek", () => file.lseek(CLOSED_FD, 0n, 0), "EBADF"],
  ["ftruncate", () => file.ftruncate(CLOSED_FD, 0n), "EBADF"],
  ["fallocate", () => file.fallocate(CLOSED_FD, 0, 0n, 1n), "EBADF"],
  ["fchmod", () => file.fchmod(CLOSED_FD, 0o600), "EBADF"],
  ["fsync", () => file.fsync(CLOSED_FD), "EBADF"],
  ["flock", () => file.flock(CLOSED_FD, 2), "EBADF"],
  ["fstat", () => file.fstat(CLOSED_FD), "EBADF"],
  ["stat", () => file.stat("/no/such/file"), "ENOENT"],
  ["fstatfs_type", () => file.fstatfs_type(CLOSED_FD), "EBADF"],
  ["rename", () => file.rename("/no/such/file", "/no/such/other"), "ENOENT"],
  ["unlink", () => file.unlink("/no/such/file"), "ENOENT"],
  ["mkdir", () => file.mkdir("/", 0o700), "EEXIST"],
  ["mkfifo", () => file.mkfifo("/", 0o600), "EEXIST"],
  ["readlink", () => file.readlink("/"), "EINVAL"],
  ["link_fd", () => file.link_fd(CLOSED_FD, "/tmp/luo-never"), "ENOENT"],
  ["memfd_create", () => file.memfd_create("x", 0x8000_0000), "EINVAL"],
  ["sendfile", () => file.sendfile(CLOSED_FD, CLOSED_FD, null, 1), "EBADF"],
  ["pipe2", () => file.pipe2(0x7fffffff), "EINVAL"],
  ["ioctl", () => system.ioctl(CLOSED_FD, 0xBA00, null), "EBADF"],
];

for (const [name, call, errno] of REFUSED) {
  Deno.test(`${name} gives ${errno}`, () => {
    const answer = call();
    assert.ok(typeof answer === "number" || typeof answer === "bigint", `${name} gave ${typeof answer}`);
    assert.ok(answer < 0, `${name} gave ${answer}`);
    assert.equal(errnoName(Number(answer)), errno);
  });
}

Deno.test("a hundred thousand calls give their own errno while the program allocates", () => {
  for (let i = 0; i < 50_000; i++) {
    const garbage = Array.from({ length: 8 }, () => ({ i }));
    assert.equal(file.close(CLOSED_FD), -Errno.EBADF);
    assert.equal(file.open("/no/such/file", 0), -Errno.ENOENT);
    assert.equal(garbage.length, 8);
  }
});

Deno.test("a memfd has the contents, position, size and stat that its calls set", () => {
  const fd = memfd();
  assert.equal(file.write(fd, bytes(1, 2, 3)), 3);
  assert.equal(file.lseek(fd, 0n, abi.SEEK_CUR), 3n);
  assert.equal(file.ftruncate(fd, 1n << 33n), 0);
  const stat = file.fstat(fd);
  assert.ok(typeof stat === "object");
  assert.equal(stat.size, 1n << 33n);
  assert.equal(stat.nlink, 0);
  assert.equal(stat.mode & abi.S_IFMT, abi.S_IFREG);
  assert.equal(file.pwrite(fd, bytes(9), (1n << 33n) - 1n), 1);
  const into = new Uint8Array(4);
  assert.equal(file.pread(fd, into, (1n << 33n) - 2n), 2);
  assert.deepEqual(into, bytes(0, 9, 0, 0));
  assert.equal(file.lseek(fd, -1n, abi.SEEK_SET), BigInt(-Errno.EINVAL));
  assert.equal(file.fstatfs_type(fd), TMPFS_MAGIC);
  assert.notEqual(TMPFS_MAGIC as number, HUGETLBFS_MAGIC);
  assert.equal(file.readlink(`/proc/self/fd/${fd}`), "/memfd:luo-test (deleted)");
  assert.equal(file.close(fd), 0);
});

Deno.test("fcntl adds and gets seals and gets flags", () => {
  const fd = memfd();
  assert.equal(file.fcntl(fd, abi.F_ADD_SEALS, abi.F_SEAL_GROW), 0);
  assert.equal(file.fcntl(fd, abi.F_GET_SEALS), abi.F_SEAL_GROW);
  assert.equal(file.ftruncate(fd, 1n), -Errno.EPERM);
  assert.equal(file.fcntl(fd, abi.F_GETFL), abi.O_RDWR | abi.O_LARGEFILE);
  assert.equal(file.fcntl(fd, abi.F_GETFD), abi.FD_CLOEXEC);
  file.close(fd);
});

Deno.test("dup and dup_cloexec share the description, and only dup_cloexec sets FD_CLOEXEC", () => {
  const fd = memfd();
  const [plain, careful] = [file.dup(fd), file.dup_cloexec(fd)];
  assert.equal(file.fcntl(plain, abi.F_GETFD), 0);
  assert.equal(file.fcntl(careful, abi.F_GETFD), abi.FD_CLOEXEC);
  file.write(plain, bytes(1, 2));
  assert.equal(file.lseek(careful, 0n, abi.SEEK_CUR), 2n);
  for (const each of [fd, plain, careful]) file.close(each);
});

Deno.test("sendfile moves the position only when it has no offset", () => {
  const [from, to] = [memfd(), memfd()];
  file.write(from, bytes(1, 2, 3, 4));
  file.lseek(from, 1n, abi.SEEK_SET);
  assert.equal(file.sendfile(to, from, 2n, 99), 2);
  assert.equal(file.lseek(from, 0n, abi.SEEK_CUR), 1n);
  assert.equal(file.sendfile(to, from, null, 2), 2);
  assert.equal(file.lseek(from, 0n, abi.SEEK_CUR), 3n);
  const into = new Uint8Array(8);
  assert.equal(file.pread(to, into, 0n), 4);
  assert.deepEqual(into.subarray(0, 4), bytes(3, 4, 2, 3));
  file.close(from);
  file.close(to);
});

Deno.test("files get, change and lose names by link_fd, rename, mkfifo and unlink", () => {
  const dir = Deno.makeTempDirSync();
  const fd = file.open(dir, abi.O_TMPFILE | abi.O_RDWR | abi.O_CLOEXEC, 0o600);
  assert.ok(fd >= 0, errnoName(fd));
  assert.equal(file.link_fd(fd, `${dir}/a`), 0);
  assert.equal(file.rename(`${dir}/a`, `${dir}/b`), 0);
  assert.equal(file.mkfifo(`${dir}/fifo`, 0o600), 0);
  Deno.symlinkSync("b", `${dir}/link`);
  assert.equal(file.readlink(`${dir}/link`), "b");
  assert.equal(errnoName(file.open(`${dir}/link`, abi.O_NOFOLLOW)), "ELOOP");
  assert.equal(errnoName(file.open(`${dir}/b`, abi.O_DIRECTORY)), "ENOTDIR");
  for (const name of ["b", "fifo", "link"]) assert.equal(file.unlink(`${dir}/${name}`), 0);
  file.close(fd);
  Deno.removeSync(dir);
});

Deno.test("a path with a NUL is a TypeError", () => {
  assert.throws(() => file.open("/tmp\0/x", 0), TypeError);
});
