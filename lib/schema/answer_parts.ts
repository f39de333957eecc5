/** Data in the answers of commands as types of TypeScript: `deno task reference` writes this file from its neighbours. */

/** A file in a handover. */
export interface FileReport {
  /** A u64 in decimal */
  token: string;
  /** The handler and its format: memfd-v2 */
  handler: string;
  /** The handler's own u64; for memfds the address of a struct */
  data: string;
  /** Bytes of a memfd. This field and the next ones are missing for other files */
  size?: number;
  /** The position of the file descriptor */
  position?: number;
  /** Missing before memfd-v2 */
  seals?: number;
  /** Folios that hold the contents */
  folios?: number;
}

/** What LUO hands over. */
export interface LuoReport {
  /** "luo-v5"; for luo-v1 with the format of its sessions: "luo-v1, luo-session-v2" */
  format: string;
  /** A u64 in decimal */
  liveupdateNumber: string;
  /** Missing when only the blob could be read */
  sessions?: { name: string; files: FileReport[] }[];
  /** Data that files share: the name, its data, and how many files */
  flbs?: { name: string; data: string; files: string }[];
}

/** What one kernel hands to the next. */
export interface KhoReport {
  /** KHO's tree */
  kho?: {
    /** The format of the tree: kho-v4 */
    format: string;
    /** The address of the preserved-memory map */
    map: string;
    blobs: {
      name: string;
      address: string;
      /** Missing in formats before kho-v4 */
      size?: number;
    }[];
  };
  /** The kernels before */
  metadata?: { previousRelease: string; kexecCount: number };
  /** The preserved memory */
  preserved?: {
    /** Pages of the map itself */
    mapPages: number;
    /** Bytes that the map preserves */
    bytes: number;
    /** Each is count blocks of 2^order pages, from an address on */
    ranges: { address: string; order: number; count: number }[];
  };
  /**
   * The areas in which the next kernel boots: for low memory, for all memory, for each node. Size 0: the
   * area is not needed
   */
  scratch?: { address: string; size: number }[];
  /** See `LuoReport`. */
  luo?: LuoReport;
  /** Parts that could not be read, and why */
  notes: string[];
}

/** What would stop a live update here. */
export interface Doctor {
  /** The kernel: Linux or the model */
  backend: "linux" | "model";
  /** Whether a finding stops a live update */
  stopped: boolean;
  findings: {
    /**
     * kernel_release: the running kernel. kernel_config: the kernel's configuration. signature: signatures
     * that the kernel asks for. command_line: the kernel's command line. device: the device.
     * kexec_disabled: switches of kexec. lockdown: the lockdown of the kernel. capability: CAP_SYS_BOOT.
     * pid_namespace: the PID namespace. container: a container. user_namespace: the user namespace.
     * seccomp: a seccomp filter. no_new_privs: NoNewPrivs. memory: memory that is available. cgroup:
     * memory that the agent may use. open_files: descriptors that the agent may hold. locked_memory:
     * memory that the agent may lock. initramfs: the initramfs of an installed kernel. systemd: the
     * version of systemd. boot_loader: the boot entry that a plain reboot takes. reboot: a plain reboot
     * while an image is loaded and sessions are held.
     */
    code:
      | "kernel_release"
      | "kernel_config"
      | "signature"
      | "command_line"
      | "device"
      | "kexec_disabled"
      | "lockdown"
      | "capability"
      | "pid_namespace"
      | "container"
      | "user_namespace"
      | "seccomp"
      | "no_new_privs"
      | "memory"
      | "cgroup"
      | "open_files"
      | "locked_memory"
      | "initramfs"
      | "systemd"
      | "boot_loader"
      | "reboot";
    /**
     * ok: nothing is wrong. warns: it may cost data or time. stops: there is no live update with it.
     * unknown: the fact cannot be read here.
     */
    verdict: "ok" | "warns" | "stops" | "unknown";
    /** A sentence for people */
    text: string;
    /** A command, or a line of configuration */
    remedy?: string;
  }[];
}

/** How a live update went in a virtual machine. */
export interface Rehearsal {
  /**
   * fits: everything came over. does_not_fit: the next kernel cannot take over: it panics, hangs, cannot
   * be loaded or lost data. cannot_tell: the rehearsal itself did not work.
   */
  verdict: "fits" | "does_not_fit" | "cannot_tell";
  /** A sentence for people */
  reason: string;
  /** The path of the next kernel */
  image: string;
  /** The path of the kernel that ran first */
  from: string;
  /** The release of the first kernel, by its console */
  fromRelease?: string;
  /** The release of the next kernel, by its console; missing when the kernel printed nothing */
  toRelease?: string;
  /** Sessions that were preserved */
  sessions: number;
  /** Files in these sessions */
  files: number;
  /** Bytes in these files */
  bytes: number;
  /** Whether these files are fewer or smaller than those that the agent holds */
  scaled: boolean;
  /** Files that came over with every byte and every seal */
  verifiedFiles: number;
  /** Bytes in the verified files */
  verifiedBytes: number;
  /** A sentence for each thing that did not come over */
  problems: string[];
  /**
   * Milliseconds from the jump to the first instruction of the next init, by the clock of the host. The
   * machine is emulated: a real one is faster
   */
  blackoutMs?: number;
  /** The end of the console before the jump */
  consoleBefore: string[];
  /** The end of the console after the jump, or the lines around a panic */
  consoleAfter: string[];
}

/** The fd store of a unit that is not empty. Fields that systemd did not answer are missing. */
export interface SystemdStore {
  /** The name of the unit */
  unit: string;
  /**
   * yes: the store outlives the unit's stop, and so a kexec by systemd 261 and later. restart: a stop of
   * the unit empties the store, and so does a kexec. no: the end of the service empties the store.
   */
  preserve?: "yes" | "restart" | "no";
  /** The most entries (FileDescriptorStoreMax=) */
  room?: number;
  /** Missing: unknown */
  entries?: {
    /** Its name in the store */
    name: string;
    /**
     * session: a session. memfd: a memfd, which systemd preserves in its own session at a kexec. other:
     * another file, which does not go over a kexec.
     */
    kind: "session" | "memfd" | "other";
    /** The name of the session. Missing: the kernel does not tell it */
    session?: string;
  }[];
}

/** systemd, process 1 of this machine. */
export interface Systemd {
  /** The version as systemd writes it. Missing: unknown */
  version?: string;
  /** Kexecs in a row that systemd's own session came through (KExecCount). Missing: unknown */
  kexecCount?: number;
  /** The fd stores that are not empty, by unit. Missing: unknown */
  stores?: SystemdStore[];
  /**
   * Sessions that the agent holds and no store has, although the agent has a store: they end with the
   * agent
   */
  missing?: string[];
  /** A sentence for each fact that is unknown */
  unknown: string[];
}

/** The parts of the program. */
export interface Version {
  /** The version of luo */
  version: string;
  /**
   * The commit of the single executable, with + when files had changed since. A checkout does not know
   * its commit
   */
  commit?: string;
  /** The version of Deno */
  deno: string;
  /** The version of V8 */
  v8: string;
  /** x86_64 or aarch64 */
  arch: string;
  /** Packages by name, each with its version */
  dependencies: Record<string, string>;
}

/**
 * usage: the command line cannot be right. bad-request: the request of the command line cannot be
 * right. kernel-error: a system call of the agent failed; operation, subject and errno say which.
 * file-error: a file of the caller could not be read or written. no-such-session: known lists the
 * sessions that exist. no-such-file: known lists the tokens that exist. no-such-key: there is no value
 * under the key. no-such-update: known lists the ids of the updates that exist. wrong-state: the
 * session or the live update is not in a state that allows this. digest-mismatch: the contents are not
 * what was preserved; the file was not given out. vetoed: a participant said no to the live update;
 * reasons has its words. update-failed: the live update failed; before the kexec it was cancelled, and
 * the machine is as before. refused: data would be lost; reasons says which, --force overrides it.
 * unavailable: no device, no permission, no agent. not-executable: the command to execute cannot be
 * executed. command-not-found: the command to execute does not exist. interrupted: Ctrl-C.
 * broken-pipe: the reader of standard output closed the pipe. internal: a bug in luo.
 */
export type FailureKind =
  | "usage"
  | "bad-request"
  | "kernel-error"
  | "file-error"
  | "no-such-session"
  | "no-such-file"
  | "no-such-key"
  | "no-such-update"
  | "wrong-state"
  | "digest-mismatch"
  | "vetoed"
  | "update-failed"
  | "refused"
  | "unavailable"
  | "not-executable"
  | "command-not-found"
  | "interrupted"
  | "broken-pipe"
  | "internal";

/** The error of a command that ends with another exit code than 0. */
export interface FailureInfo {
  /** See `FailureKind`. */
  kind: FailureKind;
  /** For people; it may change */
  message: string;
  /** The exit code of the process */
  exit: number;
  /** The operation that failed: preserve, open, kexec load */
  operation?: string;
  /** The object of the operation, as people read it */
  subject?: string;
  /** The error of the system call by name: EBUSY */
  errno?: string;
  /** Why the command was refused */
  reasons?: string[];
  /** The names or tokens that exist, when the given one does not */
  known?: string[];
  /** Steps for people; their words may change */
  hints?: string[];
}
