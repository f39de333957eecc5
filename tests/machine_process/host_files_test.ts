/** Files of the host in a machine: adopted, preserved, restored, exposed. */
import assert from "node:assert/strict";
import { Errno } from "../../ffi/abi/errno.ts";
import * as abi from "../../ffi/abi/fcntl.ts";
import { KEXEC_FILE_NO_INITRAMFS } from "../../ffi/abi/kexec.ts";
import * as file from "../../ffi/file.ts";
import { Fd } from "../../lib/fd.ts";
import { openDevice } from "../../lib/session.ts";
import { ProcessKilled } from "../../lib/system_calls.ts";
import { image } from "../model/image.ts";
import { connect, kexec, startMachine } from "./start.ts";

const MEMFD_FLAGS = abi.MFD_CLOEXEC | abi.MFD_ALLOW_SEALING;
const PAGE = 4096;

function hostMemfd(content: Uint8Array, name = "host"): number {
  const fd = file.memfd_create(name, MEMFD_FLAGS);
  assert.equal(file.write(fd, content), content.length);
  return fd;
}

function contentOf(fd: number, length: number): Uint8Array {
  const into = new Uint8Array(length);
  assert.equal(file.pread(fd, into, 0n), length);
  return into;
}

Deno.test("a host memfd survives a kexec, without later writes of its owner", async () => {
  await using machine = await startMachine("serve_model.ts");
  const content = new Uint8Array(3 * PAGE + 5).map((_, index) => index * 31);
  const mine = hostMemfd(content);
  file.lseek(mine, 77n, abi.SEEK_SET);
  file.fcntl(mine, abi.F_ADD_SEALS, abi.F_SEAL_GROW);

  const first = connect(machine.path);
  const other = connect(machine.path);
  const session = openDevice(first).create("vm0");
  session.preserve(new Fd(first, first.adopt(file.dup_cloexec(mine))), 5n);
  assert.throws(() => session.preserve(new Fd(first, first.adopt(file.dup_cloexec(mine))), 6n), {
    code: "EBUSY",
  });
  file.lseek(mine, 99n, abi.SEEK_SET);
  file.pwrite(mine, new Uint8Array([1, 2, 3]), 1n);
  content.set([1, 2, 3], 1);
  await kexec(first, machine);
  assert.throws(() => other.uname(), ProcessKilled);
  file.pwrite(mine, new Uint8Array(100), 0n);

  using second = connect(machine.path);
  using device = openDevice(second);
  const incoming = device.retrieve("vm0");
  using restored = incoming.restore(5n);
  assert.equal(second.lseek(restored.number, 0n, abi.SEEK_CUR), 99n);
  const into = new Uint8Array(content.length + 1);
  assert.equal(second.pread(restored.number, into, 0n), content.length);
  assert.deepEqual(into.subarray(0, content.length), content);

  const out = second.expose(restored.number);
  assert.ok(out >= 0, `errno ${out}`);
  const stat = file.fstat(out);
  assert.ok(typeof stat === "object");
  assert.equal(stat.size, BigInt(content.length));
  assert.equal(stat.mode, 0o100777);
  assert.equal(file.lseek(out, 0n, abi.SEEK_CUR), 99n);
  assert.equal(file.fcntl(out, abi.F_GET_SEALS), abi.F_SEAL_GROW);
  assert.deepEqual(contentOf(out, content.length), content);
  file.pwrite(out, new Uint8Array([42]), 0n);
  assert.equal(second.pread(restored.number, into.subarray(0, 1), 0n), 1);
  assert.equal(into[0], 42, "both sides have the same file");
  incoming.finish();
  file.close(out);
  file.close(mine);
});

Deno.test("a restored file, exposed or not, is preserved again and survives a second kexec", async () => {
  await using machine = await startMachine("serve_model.ts");
  const [one, two] = [new Uint8Array(PAGE).fill(1), new Uint8Array(2 * PAGE).fill(2)];
  let sys = connect(machine.path);
  let session = openDevice(sys).create("s1");
  session.preserve(new Fd(sys, sys.adopt(hostMemfd(one))), 1n);
  session.preserve(new Fd(sys, sys.adopt(hostMemfd(two))), 2n);
  await kexec(sys, machine);

  sys = connect(machine.path);
  const device = openDevice(sys);
  const incoming = device.retrieve("s1");
  const files = [1n, 2n].map((token) => incoming.restore(token));
  const exposed = sys.expose(files[0]?.number ?? -1);
  incoming.finish();
  session = device.create("s2");
  files.forEach((each, index) => session.preserve(each, BigInt(index)));
  file.pwrite(exposed, new Uint8Array([9]), 0n);
  one[0] = 9;
  await kexec(sys, machine);
  file.pwrite(exposed, new Uint8Array([8]), 0n);
  file.close(exposed);

  using last = connect(machine.path);
  const again = openDevice(last).retrieve("s2");
  for (const [token, content] of [[0n, one], [1n, two]] as const) {
    using restored = again.restore(token);
    const out = last.expose(restored.number);
    assert.deepEqual(contentOf(out, content.length), content);
    file.close(out);
  }
  again.finish();
});

Deno.test("the next kernel has what the host writes into an exposed file after it was preserved", async () => {
  await using machine = await startMachine("serve_model.ts");
  let sys = connect(machine.path);
  const session = openDevice(sys).create("s1");
  const fd = sys.memfd_create("inside", abi.MFD_EXEC);
  sys.write(fd, new Uint8Array(3 * PAGE).fill(1));
  session.preserve(new Fd(sys, fd), 1n);
  const exposed = sys.expose(fd);
  assert.ok(exposed >= 0, `errno ${exposed}`);
  file.pwrite(exposed, new Uint8Array([7]), BigInt(2 * PAGE));
  assert.equal(sys.ftruncate(fd, 0n), -Errno.EPERM, "still frozen");
  await kexec(sys, machine);
  file.close(exposed);
  sys = connect(machine.path);
  const restored = openDevice(sys).retrieve("s1").restore(1n);
  const into = new Uint8Array(3 * PAGE);
  assert.equal(sys.pread(restored.number, into, 0n), into.length);
  assert.deepEqual([into[0], into[2 * PAGE], into[2 * PAGE + 1]], [1, 7, 1]);
  sys[Symbol.dispose]();
});

Deno.test("PRESERVE_FD takes the files of the host that Linux's handler takes", async (t) => {
  await using machine = await startMachine("serve_model.ts");
  using sys = connect(machine.path);
  using device = openDevice(sys);
  const session = device.create("s");
  const dir = await Deno.makeTempDir({ dir: "/dev/shm" });
  const disk = `${machine.path}.disk`;
  await Deno.writeFile(disk, new Uint8Array(9));
  await Deno.writeFile(`${dir}/linked`, new Uint8Array(9));
  const unlinked = file.open(`${dir}/unlinked`, abi.O_RDWR | abi.O_CREAT, 0o600);
  file.unlink(`${dir}/unlinked`);
  const pipe = file.pipe2(abi.O_CLOEXEC);
  assert.ok(typeof pipe === "object");
  file.close(pipe[1]);
  const readOnly = hostMemfd(new Uint8Array(PAGE));
  const rows: [name: string, fd: number, errno: string | undefined][] = [
    ["a memfd", hostMemfd(new Uint8Array(5)), undefined],
    ["an empty memfd", file.memfd_create("empty", MEMFD_FLAGS), undefined],
    ["a read-only fd of a memfd", file.open(`/proc/self/fd/${readOnly}`, abi.O_RDONLY), undefined],
    ["an unlinked tmpfs file", unlinked, undefined],
    ["an O_TMPFILE file on tmpfs", file.open(dir, abi.O_TMPFILE | abi.O_RDWR, 0o600), undefined],
    ["a linked tmpfs file", file.open(`${dir}/linked`, abi.O_RDWR), "ENOENT"],
    ["a disk file", file.open(disk, abi.O_RDWR), "ENOENT"],
    ["a pipe", pipe[0], "ENOENT"],
    ["/dev/null", file.open("/dev/null", abi.O_RDWR), "ENOENT"],
    ["an O_PATH fd", file.open(dir, abi.O_PATH), "EBADF"],
  ];
  let token = 0n;
  for (const [name, fd, errno] of rows) {
    await t.step(name, () => {
      assert.ok(fd >= 0, `errno ${fd}`);
      const preserve = () => session.preserve(new Fd(sys, sys.adopt(fd)), token++);
      if (errno === undefined) preserve();
      else assert.throws(preserve, { code: errno });
    });
  }
  file.close(readOnly);
  await Deno.remove(dir, { recursive: true });
});

Deno.test("PRESERVE_FD fills the holes of a file of the host", async () => {
  await using machine = await startMachine("serve_model.ts");
  using sys = connect(machine.path);
  const fd = file.memfd_create("sparse", MEMFD_FLAGS);
  file.ftruncate(fd, 1n << 20n);
  const session = openDevice(sys).create("s");
  session.preserve(new Fd(sys, sys.adopt(file.dup_cloexec(fd))), 1n);
  const stat = file.fstat(fd);
  assert.ok(typeof stat === "object");
  assert.equal(stat.blocks, 2048n);
  file.close(fd);
});

Deno.test("an image that a process of the host has open for writing is ETXTBSY", async () => {
  await using machine = await startMachine("serve_model.ts");
  using sys = connect(machine.path);
  const path = `${machine.path}.busy`;
  await Deno.writeFile(path, image());
  const line = new TextEncoder().encode("liveupdate=on\0");
  const load = (fd: number) =>
    sys.kexec_file_load(fd, -1, BigInt(line.length), line, BigInt(KEXEC_FILE_NO_INITRAMFS));
  const fd = sys.adopt(file.open(path, abi.O_RDONLY | abi.O_CLOEXEC));
  const writer = file.open(path, abi.O_WRONLY | abi.O_CLOEXEC);
  assert.equal(load(fd), -Errno.ETXTBSY);
  file.close(writer);
  assert.equal(load(fd), 0);
  const both = sys.adopt(file.open(path, abi.O_RDWR | abi.O_CLOEXEC));
  assert.equal(load(both), -Errno.ETXTBSY, "the caller's own writable fd counts");
  const memfd = hostMemfd(image());
  assert.equal(load(sys.adopt(memfd)), 0, "a writable memfd does not count");
  await Deno.remove(path);
});

Deno.test("of a file whose hole was too large to be filled, the kexec keeps the data and leaves the hole", async () => {
  await using machine = await startMachine("serve_model.ts");
  const mine = file.memfd_create("sparse", MEMFD_FLAGS);
  const size = 1n << 28n;
  assert.equal(file.ftruncate(mine, size), 0);
  const first = connect(machine.path);
  const session = openDevice(first).create("sparse");
  session.preserve(new Fd(first, first.adopt(file.dup_cloexec(mine))), 1n);
  // As a file is that would take more than half of the host's free memory: PRESERVE_FD did not fill its hole.
  file.fallocate(mine, abi.FALLOC_FL_PUNCH_HOLE | abi.FALLOC_FL_KEEP_SIZE, 0n, size);
  const places = [0n, (1n << 27n) + 5n, size - 4n];
  for (const place of places) file.pwrite(mine, new Uint8Array([1, 2, 3, 4]), place);
  file.lseek(mine, 12n, abi.SEEK_SET);
  await kexec(first, machine);
  file.close(mine);

  using second = connect(machine.path);
  using device = openDevice(second);
  using restored = device.retrieve("sparse").restore(1n);
  const out = second.expose(restored.number);
  const stat = file.fstat(out);
  assert.ok(
    typeof stat !== "number" && stat.size === size && stat.blocks < 100n,
    JSON.stringify(stat, String),
  );
  assert.equal(file.lseek(out, 0n, abi.SEEK_CUR), 12n);
  for (const place of places) {
    const into = new Uint8Array(4);
    assert.equal(file.pread(out, into, place), 4);
    assert.deepEqual([...into], [1, 2, 3, 4], `at ${place}`);
  }
  file.close(out);
});
