/** ffi/process.ts, ffi/spawn.ts and ffi/system.ts on real processes. */
import assert from "node:assert/strict";
import { Errno } from "../../ffi/abi/errno.ts";
import { F_GETFD, FD_CLOEXEC } from "../../ffi/abi/fcntl.ts";
import { close, fcntl, fstat, pread } from "../../ffi/file.ts";
import { execvp, getpid, kill, pidfd_getfd, pidfd_open } from "../../ffi/process.ts";

const FFI = new URL("../../ffi/", import.meta.url).href;

/** A program with a memfd, which runs until its standard input ends. */
const OWNER = `
import { memfd_create, write } from "${FFI}file.ts";
const fd = memfd_create("theirs", 1);
write(fd, new TextEncoder().encode("of another process"));
console.log(fd);
for await (const _ of Deno.stdin.readable);
`;

const ECHO = `
import { execvp } from "${FFI}process.ts";
const answer = execvp(["sh", "-c", "echo $WORD $#; kill -PIPE $$; echo survived", "a", "b"], { WORD: "hello", PATH: "/usr/bin:/bin" });
console.log("returned", answer);
`;

async function script(code: string): Promise<string> {
  const path = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(path, code);
  return path;
}

Deno.test("pidfd_getfd copies an fd of another process, which outlives that process", async () => {
  const path = await script(OWNER);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--quiet", "--allow-ffi", path],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  const theirs = Number(new TextDecoder().decode((await reader.read()).value));
  const pidfd = pidfd_open(child.pid);
  assert.ok(pidfd >= 0);
  assert.equal(pidfd_getfd(pidfd, 1 << 20), -Errno.EBADF);
  assert.equal(pidfd_getfd(pidfd, theirs, 1), -Errno.EINVAL);
  const fd = pidfd_getfd(pidfd, theirs);
  assert.ok(fd >= 0, `errno ${fd}`);
  assert.equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
  assert.equal(kill(child.pid, 0), 0);

  await child.stdin.close();
  await child.status;
  await reader.cancel();
  const into = new Uint8Array(18);
  assert.equal(pread(fd, into, 0n), 18);
  assert.equal(new TextDecoder().decode(into), "of another process");
  assert.ok(typeof fstat(fd) === "object");
  assert.equal(pidfd_getfd(pidfd, theirs), -Errno.ESRCH);
  close(fd);
  close(pidfd);
  await Deno.remove(path);
});

Deno.test("execvp gives the program its arguments, its environment and the default SIGPIPE", async () => {
  const path = await script(ECHO);
  const { stdout, signal } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--quiet", "--allow-ffi", path],
  }).output();
  assert.equal(new TextDecoder().decode(stdout), "hello 1\n");
  assert.equal(signal, "SIGPIPE");
  await Deno.remove(path);
});

Deno.test("execvp returns the errno when it finds no program", () => {
  assert.equal(execvp(["/no/such/program"], {}), -Errno.ENOENT);
  assert.equal(execvp(["/"], {}), -Errno.EACCES);
});

Deno.test("pidfd_open and kill give the errno of a bad argument", () => {
  assert.ok(getpid() > 0);
  assert.equal(pidfd_open(-1), -Errno.EINVAL);
  assert.equal(pidfd_open(1 << 22), -Errno.ESRCH);
  assert.equal(pidfd_open(getpid(), 1), -Errno.EINVAL);
  assert.equal(kill(1 << 22, 0), -Errno.ESRCH);
  assert.equal(kill(getpid(), 999), -Errno.EINVAL);
});
