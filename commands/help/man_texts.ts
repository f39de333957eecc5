/** The texts that the pages of the manual share. */
import { CONFIG_FILE } from "../arguments/config_file.ts";

type Rows = readonly (readonly [name: string, meaning: string])[];

export const ENVIRONMENT: Rows = [
  ["LUO_BACKEND", "linux or model, as --backend."],
  ["LUO_SOCKET", "Where the agent listens, as --socket."],
  [
    "LUO_KERNEL, LUO_INITRD, LUO_CMDLINE, LUO_APPEND",
    "The next kernel when luo kexec load or luo kexec check names none. They win over luo.conf(5), which explains them.",
  ],
  ["LUO_CONFIG", `The file to read in place of ${CONFIG_FILE}. Empty: none.`],
  ["LUO_EXE", "The executable of luo, to start the agent in the background."],
  ["LUO_PARTICIPANTS", "The directory of participants of live updates, as --participants of luo agent run."],
  ["LUO_LUOD_SOCKET", "A socket for clients of luo-agent, as --luod-socket of luo agent run."],
  ["LUO_ACCESS", "The access rules of the agent, as --access of luo agent run."],
  ["LUO_FAULTS", "Faults to inject into the software model, as --faults of luo emulate."],
  ["LUO_TEST_KERNELS", "A directory of kernel images for the virtual machines of luo rehearse."],
  ["NO_COLOR", "When set and not empty: no colour."],
];

export const FILES: Rows = [
  [
    "/dev/liveupdate",
    "The kernel's side of live update. The kernel must be started with liveupdate=on kho=on.",
  ],
  [CONFIG_FILE, "The settings of this host: luo.conf(5)."],
  ["/etc/luo/participants.d", "Programs that take part in a live update."],
  [
    "/run/luo/agent.sock",
    "Where the agent listens. For users other than root: $XDG_RUNTIME_DIR/luo/agent.sock. On the model: model.sock beside it.",
  ],
  [
    "/run/luo/agent.sock.state",
    "The agent's record, from which the next agent of this boot reads losses. luo agent stop --help names the files beside it.",
  ],
];

export const BUGS: readonly string[] = [
  "The kernels negotiate nothing: a next kernel that cannot read what this one hands over panics early in boot. luo kexec " +
  "check finds such a pair from the images, luo rehearse tries it in a virtual machine.",
  "The kernel drops the sessions of an agent that is killed, unless systemd keeps a copy of their descriptors: see " +
  "luo-agent.service(8). luo status says what was lost.",
  "Only memfds and unlinked tmpfs files can be preserved, as a whole.",
];

/** The pages of other programs that luo's pages refer to. */
export const ELSEWHERE: readonly string[] = [
  "kexec(8)",
  "systemd.service(5)",
  "memfd_create(2)",
  "kexec_file_load(2)",
];
