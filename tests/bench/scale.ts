/** Times one live update of many sessions and files: every stage in milliseconds. */
import { MFD_CLOEXEC, MFD_EXEC, O_CLOEXEC, O_RDONLY } from "../../ffi/abi/fcntl.ts";
import { KEXEC_FILE_NO_INITRAMFS, LINUX_REBOOT_CMD_KEXEC } from "../../ffi/abi/kexec.ts";
import { check } from "../../lib/error.ts";
import type { SystemCalls } from "../../lib/system_calls.ts";
import { Fd } from "../../lib/fd.ts";
import { openDevice } from "../../lib/session.ts";

/** The size of the live update. */
export interface Size {
  readonly sessions: number;
  /** Files in each session. */
  readonly files: number;
  /** Pages of each file. */
  readonly pages: number;
}

/** Milliseconds by stage, in the order in which they happen. */
export type Times = Record<string, number>;

const PAGE = 4096;

class Clock {
  readonly times: Times = {};

  measure<T>(stage: string, run: () => T): T {
    const start = performance.now();
    const answer = run();
    this.times[stage] = (this.times[stage] ?? 0) + performance.now() - start;
    return answer;
  }
}

/** Makes the sessions, fills the files and preserves them. The sessions stay open. */
export function before(sys: SystemCalls, { sessions, files, pages }: Size): Times {
  const clock = new Clock();
  const contents = new Uint8Array(pages * PAGE).fill(7);
  const device = openDevice(sys);
  const opened = Array.from(
    { length: sessions },
    (_, index) => clock.measure("create", () => device.create(`session ${index}`)),
  );
  for (const session of opened) {
    for (let token = 0n; token < files; token++) {
      const fd = clock.measure("fill", () => {
        const fd = check(sys.memfd_create("scale", MFD_CLOEXEC | MFD_EXEC), "memfd_create", "a file");
        check(sys.write(fd, contents), "write", "a file");
        return fd;
      });
      clock.measure("preserve", () => session.preserve(new Fd(sys, fd), token));
      sys.close(fd);
    }
  }
  return clock.times;
}

export function load(sys: SystemCalls, image: string, initrd: string | undefined, commandLine: string): void {
  const open = (path: string) => check(sys.open(path, O_RDONLY | O_CLOEXEC), "open", path);
  const line = new TextEncoder().encode(`${commandLine}\0`);
  const flags = initrd === undefined ? BigInt(KEXEC_FILE_NO_INITRAMFS) : 0n;
  const initrd_fd = initrd === undefined ? -1 : open(initrd);
  const answer = sys.kexec_file_load(open(image), initrd_fd, BigInt(line.length), line, flags);
  check(answer, "kexec load", image);
}

/** Never returns: it throws when the kexec fails, and on the model also when it succeeds. */
export function kexec(sys: SystemCalls): void {
  check(sys.reboot(LINUX_REBOOT_CMD_KEXEC), "kexec exec", "the loaded kernel");
}

/** Retrieves and finishes everything in the next kernel. */
export function after(sys: SystemCalls, { sessions, files }: Size): Times {
  const clock = new Clock();
  const device = clock.measure("open", () => openDevice(sys));
  for (let index = 0; index < sessions; index++) {
    const session = clock.measure("retrieve", () => device.retrieve(`session ${index}`));
    for (let token = 0n; token < files; token++) {
      clock.measure("restore", () => session.restore(token)).close();
    }
    clock.measure("finish", () => session.finish());
  }
  return clock.times;
}
