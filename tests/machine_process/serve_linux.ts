/** A machine server whose processes make Linux system calls, for tests of the protocol. Prints the pid of every killed process. */
import { Errno } from "../../ffi/abi/errno.ts";
import { linux } from "../../lib/linux/system_calls.ts";
import { ProcessKilled } from "../../lib/system_calls.ts";
import { type Hardware, MachineServer } from "../../lib/machine_process/machine_server.ts";

/** LINUX_REBOOT_CMD_KEXEC, which here ends all processes and changes nothing else. */
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
        if (command !== REBOOT) return -Errno.EINVAL;
        this.#boot++;
        throw new ProcessKilled("rebooted");
      },
      mkdir: () => {
        throw new Error("A defect of the model");
      },
    };
  }

  kill(pid: number) {
    console.log(`killed ${pid}`);
  }
}

const [path = ""] = Deno.args;
await new MachineServer(path, new LinuxHardware()).run();
