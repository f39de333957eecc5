import { standInBzImage } from "../../lib/kexec/bzimage.ts";
import { ProcessKilled } from "../../lib/kernel.ts";
import { MemoryDisk } from "../../lib/model/disk.ts";
import { Machine } from "../../lib/model/machine.ts";
import { nextBoot, play } from "./play.ts";

/** The same traffic on the model: the trace of each boot, without the machine's ever being anything but the model. */
export function* modelTraces(seed: number, boots: number, count: number): Generator<string[]> {
  const disk = new MemoryDisk({ "/image": standInBzImage({ release: "7.3.4-luo" }) });
  const machine = new Machine({ disk, nofile: 20_000, memory_bytes: 2 * 1024 ** 3 });
  for (let boot = 1; boot <= boots; boot++) {
    const lines: string[] = [];
    const kernel = machine.init();
    play(kernel, "/dev/shm", seed, boot, count, (line) => lines.push(line));
    yield lines;
    if (boot === boots) return;
    try {
      nextBoot(kernel, "/image", undefined, "liveupdate=on");
    } catch (error) {
      if (!(error instanceof ProcessKilled)) throw error;
    }
  }
}
