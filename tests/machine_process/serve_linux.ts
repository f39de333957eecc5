/** A machine whose processes are Linux: only the wire is under test. Prints the pid of each process that was killed. */
import { linux } from "../../lib/linux/system_calls.ts";
import { ProcessKilled } from "../../lib/system_calls.ts";
import { type Hardware, MachineServer } from "../../lib/machine_process/machine_server.ts";

/** The command that the test's kernel takes for a kexec. */
const REBOOT = 0x45584543;

class LinuxHardware implements Hardware {
  idle = true;
  off = false;
  #pid = 0;
  #boot = 1;

  spawn() {
    const [pid, boot] = [++this.#pid, this.#boot];
    const alive = () => {
      if (boot !== this.#boot) throw new ProcessKilled("rebooted");
    };
    return {
      ...linux(),
      getpid: () => pid,
      uname: () => (alive(), linux().uname()),
      reboot: (command: number) => {
        if (command !== REBOOT) return -22;
        this.#boot++;
        throw new ProcessKilled("rebooted");
      },
      mkdir: () => {
        throw new Error("A mistake in the model");
      },
    };
  }

  kill(pid: number) {
    console.log(`killed ${pid}`);
  }
}

const [path = ""] = Deno.args;
await new MachineServer(path, new LinuxHardware()).run();
