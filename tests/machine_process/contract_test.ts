/** The single-boot cases of the contract, for a client of a machine's process. */
import { image } from "../model/image.ts";
import { cases } from "../contract/all.ts";
import { type Host, type OtherProcess, type Paths, World } from "../contract/world.ts";
import { connect, startMachine } from "./start.ts";

class RemoteHost implements Host {
  readonly sys;

  constructor(readonly socket: string, readonly paths: Paths) {
    this.sys = connect(socket);
  }

  spawn(): OtherProcess {
    const sys = connect(this.socket);
    return { sys, pid: sys.getpid(), kill: () => Promise.resolve(sys[Symbol.dispose]()) };
  }
}

Deno.test("the cases of the contract hold for the clients of a machine", async (t) => {
  await using machine = await startMachine("serve_model.ts");
  // Not in /tmp, which is a tmpfs of the model.
  const dir = await Deno.makeTempDir({ dir: "/var/tmp" });
  const paths: Paths = {
    tmpfs: "/dev/shm",
    disk: `${dir}/disk`,
    image: `${dir}/image`,
    initrd: undefined,
  };
  await Deno.writeTextFile(paths.disk, "not on a tmpfs");
  const kernel = new Uint8Array(64 * 1024);
  kernel.set(image("7.3.4"));
  await Deno.writeFile(paths.image, kernel);
  using _keeper = connect(machine.path);
  for (const { name, run } of cases) {
    await t.step(name, async () => {
      const host = new RemoteHost(machine.path, paths);
      const world = new World(host);
      try {
        await run(world);
        world.closeAll();
      } finally {
        host.sys[Symbol.dispose]();
      }
    });
  }
  await Deno.remove(dir, { recursive: true });
});
