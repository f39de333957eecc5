/** Starts machines and clients in processes of their own: a call through a machine blocks, so a process cannot be both. */
import assert from "node:assert/strict";
import { EPOLLIN } from "../../ffi/abi/epoll.ts";
import { O_CLOEXEC, O_RDONLY } from "../../ffi/abi/fcntl.ts";
import { KEXEC_FILE_NO_INITRAMFS, LINUX_REBOOT_CMD_KEXEC } from "../../ffi/abi/kexec.ts";
import { poll } from "../../ffi/epoll.ts";
import { open } from "../../ffi/file.ts";
import { LuoError } from "../../lib/error.ts";
import { ProcessKilled, type SystemCalls } from "../../lib/system_calls.ts";
import { connectMachine } from "../../lib/machine_process/remote_system_calls.ts";
import { image } from "../model/image.ts";

export interface Running extends AsyncDisposable {
  readonly path: string;
  readonly child: Deno.ChildProcess;
  /** Its standard output, when it has ended. */
  readonly output: Promise<string>;
}

export function script(name: string, ...args: string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--quiet", "--allow-ffi", new URL(name, import.meta.url).pathname, ...args],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
}

/** Runs the script `name` with a socket in a new directory. Disposing kills the machine, if it still runs. */
export async function startMachine(name: string): Promise<Running> {
  const dir = await Deno.makeTempDir();
  const path = `${dir}/machine`;
  const child = script(name, path);
  const output = new Response(child.stdout).text();
  for (let tries = 0; !(await exists(path)); tries++) {
    assert.ok(tries < 3000, "the machine does not start");
    poll(-1, EPOLLIN, 20);
  }
  return {
    path,
    child,
    output,
    async [Symbol.asyncDispose]() {
      await child.stdin.close();
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended by itself.
      }
      await child.status;
      await output;
      await Deno.remove(dir, { recursive: true });
    },
  };
}

async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

/** Connects, also in the moments in which the machine has removed a dead one's socket, or has bound its own and does not yet listen. */
export function connect(path: string): SystemCalls {
  for (let tries = 0;; tries++) {
    try {
      return connectMachine(path);
    } catch (error) {
      const starts = error instanceof LuoError && (error.is("ECONNREFUSED") || error.is("ENOENT"));
      if (!starts || tries > 3000) throw error;
      poll(-1, EPOLLIN, 20);
    }
  }
}

/** Loads an image of the host and boots it. */
export async function kexec(sys: SystemCalls, machine: Running): Promise<void> {
  const path = `${machine.path}.image`;
  await Deno.writeFile(path, image());
  const host = open(path, O_RDONLY | O_CLOEXEC);
  const fd = sys.adopt(host);
  const line = new TextEncoder().encode("liveupdate=on\0");
  const loaded = sys.kexec_file_load(fd, -1, BigInt(line.length), line, BigInt(KEXEC_FILE_NO_INITRAMFS));
  assert.equal(loaded, 0);
  assert.throws(() => sys.reboot(LINUX_REBOOT_CMD_KEXEC), ProcessKilled);
}
