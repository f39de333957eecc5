/** Plays random traffic on the model and writes down its trace. */
import { standInArm64Image } from "../../lib/kexec/arm64_image.ts";
import { standInBzImage } from "../../lib/kexec/bzimage.ts";
import type { Architecture } from "../../lib/kexec/file_kind.ts";
import { ProcessKilled, type SystemCalls } from "../../lib/system_calls.ts";
import { MemoryDisk } from "../../lib/model/fs/disk.ts";
import { Machine } from "../../lib/model/machine.ts";
import type { Holder, TrafficHost } from "./host.ts";
import { nextBoot, play } from "./play.ts";

/** The trace of each boot. */
export function* modelTraces(
  seed: number,
  boots: number,
  count: number,
  architecture: Architecture = "x86_64",
): Generator<string[]> {
  const standIn = architecture === "x86_64" ? standInBzImage : standInArm64Image;
  const disk = new MemoryDisk({ "/image": standIn({ release: "7.3.4-luo" }) });
  const machine = new Machine({ architecture, disk, nofile: 20_000, memory_bytes: 2 * 1024 ** 3 });
  for (let boot = 1; boot <= boots; boot++) {
    const host = new ModelHost(machine);
    yield [...play(host, seed, boot, count)];
    if (boot === boots) return;
    try {
      nextBoot(host, "liveupdate=on");
    } catch (error) {
      if (!(error instanceof ProcessKilled)) throw error;
    }
  }
}

class ModelHost implements TrafficHost {
  readonly sys: SystemCalls;
  readonly tmpfs = "/dev/shm";
  readonly image = "/image";
  readonly initrd = undefined;

  constructor(readonly machine: Machine) {
    this.sys = machine.init();
  }

  /** The model has no fork and exec, so a new process takes copies of the fds. */
  spawn(fds: readonly number[]): Holder {
    const child = this.machine.spawn();
    const parent = child.pidfd_open(this.sys.getpid(), 0);
    for (const fd of fds) child.pidfd_getfd(parent, fd, 0);
    child.close(parent);
    const pid = child.getpid();
    return { kill: () => this.machine.kill(pid) };
  }
}
