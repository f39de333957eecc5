/** The contract on the model. Every case has a machine of its own, and every reboot case has kexecs of its own. */
import { equal } from "node:assert/strict";
import { KEXEC_FILE_NO_INITRAMFS, LINUX_REBOOT_CMD_KEXEC } from "../../ffi/abi/kexec.ts";
import { O_RDONLY } from "../../ffi/abi/fcntl.ts";
import { ProcessKilled, type SystemCalls } from "../../lib/system_calls.ts";
import { MemoryDisk } from "../../lib/model/fs/disk.ts";
import { Machine } from "../../lib/model/machine.ts";
import { standInArm64Image } from "../../lib/kexec/arm64_image.ts";
import { image } from "../model/image.ts";
import { cases, rebootCases, wordsCases } from "./all.ts";
import { answers, type Host, type OtherProcess, type Paths, World } from "./world.ts";

const paths: Paths = {
  tmpfs: "/dev/shm",
  disk: "/var/disk.bin",
  image: "/boot/vmlinuz",
  initrd: undefined,
};

class ModelHost implements Host {
  readonly paths = paths;
  readonly sys: SystemCalls;

  constructor(readonly machine: Machine) {
    this.sys = machine.init();
  }

  spawn(): OtherProcess {
    const sys = this.machine.spawn();
    const pid = sys.getpid();
    return {
      sys,
      pid,
      kill: () => Promise.resolve(void this.machine.kill(pid)),
    };
  }
}

function machine(architecture: "x86_64" | "aarch64" = "x86_64"): Machine {
  // Longer than the header says: a real kernel, too, still loads when its file is cut in half.
  const kernel = new Uint8Array(64 * 1024);
  kernel.set(architecture === "x86_64" ? image("7.3.4") : standInArm64Image({ release: "7.3.4" }));
  const disk = new MemoryDisk({
    [paths.image]: kernel,
    [paths.disk]: new TextEncoder().encode("not on a tmpfs"),
  });
  return new Machine({ architecture, disk, nofile: 1024 });
}

function kexec(sys: SystemCalls, words: string): void {
  const line = new TextEncoder().encode(`liveupdate=on ${words}\0`);
  const fd = sys.open(paths.image, O_RDONLY);
  const flags = BigInt(KEXEC_FILE_NO_INITRAMFS);
  answers(sys.kexec_file_load(fd, -1, BigInt(line.length), line, flags), 0);
  try {
    sys.reboot(LINUX_REBOOT_CMD_KEXEC);
  } catch (error) {
    if (error instanceof ProcessKilled) return;
    throw error;
  }
  equal("reboot returned", "the machine rebooted");
}

for (const { name, run } of cases) {
  Deno.test(`contract: ${name}`, async () => {
    const world = new World(new ModelHost(machine()));
    await run(world);
    world.closeAll();
  });
}

// Only the cases about images depend on the architecture.
for (const { name, run } of cases.filter((one) => /kexec_(?:file_)?load/.test(one.name))) {
  Deno.test(`contract on arm64: ${name}`, async () => {
    const world = new World(new ModelHost(machine("aarch64")));
    await run(world);
    world.closeAll();
  });
}

Deno.test("on arm64 the next kernel is that of the Image, by its banner, with at most 2,047 bytes of command line", () => {
  const hardware = machine("aarch64");
  kexec(hardware.init(), `x=${"y".repeat(3000)}`);
  const { machine: name, release } = hardware.init().uname();
  equal(`${name} ${release}`, "aarch64 7.3.4");
  const bytes = new Uint8Array(4096);
  const sys = hardware.init();
  equal(sys.read(sys.open("/proc/cmdline", O_RDONLY), bytes), 2048);
});

const overAKexec = [...rebootCases.map((one) => ({ ...one, words: "" })), ...wordsCases];

for (const one of overAKexec) {
  Deno.test(`contract, over a kexec: ${one.name}`, async () => {
    const hardware = machine();
    const phases = [one.before, one.after, ...(one.later === undefined ? [] : [one.later])];
    for (const [index, phase] of phases.entries()) {
      if (index > 0) kexec(hardware.init(), index === 1 ? one.words : "");
      const world = new World(new ModelHost(hardware));
      await phase.call(one, world);
      world.closeDevice();
    }
  });
}
