/** The data of the agent as types of TypeScript: `deno task reference` writes this file from its neighbours. */

export type * from "./update_types.ts";

/**
 * outgoing: created in this kernel, goes into the next one. incoming: handed over by the previous
 * kernel and still safe there, not retrieved. retrieved: handed over and held by the agent; finished
 * when the agent closes it, or dies.
 */
export type SessionState = "outgoing" | "incoming" | "retrieved";

/**
 * preserved: in an outgoing session. waiting: handed over, not restored yet. restored: handed over and
 * restored at least once. held: of a kept session, and open in the agent only: the kernel refused to
 * preserve it again, so it does not go over a kexec.
 */
export type FileState = "preserved" | "waiting" | "restored" | "held";

/**
 * memfd: a memfd, or a tmpfs file without a name: Linux's memfd handler took it. hugetlb: a memfd with
 * huge pages (MFD_HUGETLB): a handler took it that Linux 7.3 does not have.
 */
export type KindOfFile = "memfd" | "hugetlb";

/** A file in a session. */
export interface FileInfo {
  /** A u64 in decimal */
  token: string;
  /** Words that were given with the file */
  label?: string;
  /** Bytes */
  size: number;
  /** "sha256:" and 64 hex digits: the contents when they were preserved */
  digest?: string;
  /**
   * Only in GetStatus: the size now, when it is not the size at PRESERVE, with which the file goes over
   * a kexec
   */
  sizeNow?: number;
  /** The F_SEAL_ flags of fcntl(2) when it was preserved: these survive */
  seals: number;
  /**
   * Which handler of the kernel took the file. Missing: not known. It is a file of another kind, an
   * agent of an earlier version took it, or another program preserved it
   */
  kind?: KindOfFile;
  /** RFC 3339, in UTC. Missing when the agent has no record that the file was preserved */
  preservedAt?: string;
  /** Only in kept sessions: what the agent found when it compared the digest after the last kexec */
  verdict?: "same" | "changed" | "damaged";
  /** The file position at the kexec. Known after the first RestoreFile */
  position?: number;
  /** See `FileState`. */
  state: FileState;
}

/** A named set of files that survives a kexec. */
export interface SessionInfo {
  /** At most 63 bytes, as the kernel has it */
  name: string;
  /** See `SessionState`. */
  state: SessionState;
  /** Kept across the kexec. When files are unknown: when the agent first saw the session */
  createdAt: string;
  /** See `FileInfo`. */
  files: FileInfo[];
  /**
   * False: the session may hold files that are not listed, because another program preserved them or the
   * agent's record of them is lost; the kernel cannot list files. Left out when the list is complete
   */
  filesKnown?: boolean;
  /** True: after each kexec the agent preserves the session again by itself */
  keep?: boolean;
  /**
   * True: in this boot another program was given the session's descriptor. It can preserve, restore and
   * finish by itself, and the session lives as long as it holds the descriptor
   */
  opened?: boolean;
  /** Why the agent could not preserve a kept session again, as a clause */
  keepProblem?: string;
  /** Only under systemd: how the agent came by it at its start. Left out for a session that came later */
  found?: "adopted" | "retrieved" | "orphaned" | "unknown";
}

/** A file of a lost session. */
export interface LostFile {
  /** A u64 in decimal */
  token: string;
  /** Words that were given with the file */
  label?: string;
  /** Bytes */
  size: number;
}

/** Preserved data that is gone, and why. */
export interface Loss {
  /** The name of the session */
  session: string;
  /** The session's state when it was lost */
  state: SessionState;
  /** See `LostFile`. */
  files: LostFile[];
  /** As in Session */
  filesKnown?: boolean;
  /** Why it is gone */
  reason: string;
  /** RFC 3339, in UTC */
  at: string;
}

/** The loaded image: the next kernel. */
export interface ImageInfo {
  /** False: no image is loaded */
  loaded: boolean;
  /**
   * Who loaded it, as far as this agent knows. The image of another program can be one that drops all
   * sessions
   */
  by?: "luo" | "other";
  /** The path that was given */
  kernel?: string;
  /** The path that was given; several are named "a + b", in the order in which they lie in memory */
  initrd?: string;
  /** The size of the kernel file */
  size?: number;
  /** "sha256:" and 64 hex digits of the kernel file as it was judged and loaded */
  digest?: string;
  /** Bytes */
  initrdSize?: number;
  /** "sha256:" and 64 hex digits of the initrd as it was loaded */
  initrdDigest?: string;
  /** The release in the image's own header */
  release?: string;
  /** The command line of the next kernel */
  commandLine?: string;
  /** RFC 3339, in UTC */
  loadedAt?: string;
  /**
   * Whether the agent has a sealed copy of kernel and initrd, and loads it once more before it is
   * executed
   */
  held?: boolean;
}

/** The live update that began this boot. */
export interface LastUpdate {
  /** The release of the kernel before */
  fromRelease: string;
  /** The release of this kernel */
  toRelease: string;
  /** When the agent of the new kernel found the manifest */
  at: string;
  /** Live updates in a row that this manifest has come through */
  count: number;
  /** Sessions that were handed over */
  sessions: number;
  /** Files in them */
  files: number;
  /** Bytes in these files */
  bytes: number;
}

/** The running kernel. */
export interface Kernel {
  /** The kernel's release, by uname(2) */
  release: string;
  /** x86_64 or aarch64 */
  machine: string;
  /** /proc/sys/kernel/random/boot_id */
  bootId: string;
  /** /proc/cmdline */
  commandLine: string;
}

/** /dev/liveupdate. */
export interface Device {
  /** The path of the device file */
  path: string;
  /**
   * ready: the agent opened it the last time; it is open only while the agent uses it. absent: this
   * kernel has no live update. busy: another program has it open. denied: no permission. broken: the
   * kernel cannot read what was handed over, and gives EIO until the next kexec.
   */
  state: "ready" | "absent" | "busy" | "denied" | "broken";
  /** The name of the error of a failed open: EBUSY */
  errno?: string;
  /**
   * True: the agent never had the device in this boot, and does not know which sessions wait in the
   * kernel
   */
  unread?: boolean;
  /** When the agent opened it the last time, or failed to. RFC 3339, in UTC */
  seenAt?: string;
}

/** The agent that answers. */
export interface Agent {
  /** The process of the agent */
  pid: number;
  /** The version of luo */
  version: string;
  /** The path where it listens */
  socket: string;
  /** RFC 3339, in UTC */
  startedAt: string;
  /**
   * systemd's fd store, which keeps the sessions when the agent ends. Missing without one: the agent's
   * end loses what it holds
   */
  store?: {
    /** The most entries (FileDescriptorStoreMax=) */
    room: number;
    /** Entries now */
    used: number;
  };
  /**
   * Why the journal could not be written the last time: an agent that starts after this one would know
   * less
   */
  unrecorded?: string;
}

/** A value of luo put, without its bytes. */
export interface Value {
  /** 1 to 255 bytes, without control characters */
  key: string;
  /** Bytes */
  size: number;
  /** When it was put: RFC 3339, in UTC */
  at: string;
}

/** Everything there is to know. */
export interface Status {
  /** The kernel: Linux or the model */
  backend: "linux" | "model";
  /** See `Kernel`. */
  kernel: Kernel;
  /** See `Device`. */
  device: Device;
  /** See `Agent`. */
  agent: Agent;
  /** See `ImageInfo`. */
  image: ImageInfo;
  /** See `SessionInfo`. */
  sessions: SessionInfo[];
  /**
   * Why sessions may wait in the kernel that are not listed: it was started by a live update, and luo
   * has no list of what was handed over. Left out when the list is complete
   */
  unlisted?: string;
  /** Missing when this boot began without one */
  lastUpdate?: LastUpdate;
  /** The values of luo put; missing when there are none */
  values?: {
    /** Keys */
    count: number;
    /** Of all keys and values */
    bytes: number;
  };
  /** Lost in this kernel or an earlier one, and not cleared since */
  losses: Loss[];
}

/**
 * fits: nothing stands against it. does_not_fit: preserved data would be lost, or the image cannot be
 * loaded. cannot_tell: a fact is missing: the reason says which.
 */
export type CheckVerdict = "fits" | "does_not_fit" | "cannot_tell";

/**
 * image: kexec_file_load(2) takes the image, and the file is whole. release: the release has live
 * update. kho_format: the image reads KHO's tree as the running kernel writes it. luo_format: the
 * image reads LUO's data as the running kernel writes it. file_handlers: the image has the handlers of
 * preserved files. unlisted_files: other programs may have preserved files that luo cannot list.
 * liveupdate_built_in: CONFIG_LIVEUPDATE. kho_built_in: CONFIG_KEXEC_HANDOVER. liveupdate_on:
 * liveupdate= on the command line. kho_on: kho= on the command line, or the default of the image.
 * command_line: the kernel takes the command line whole. duplicates: words that are given more than
 * once. built_in_line: the command line that is built into the image. kho_scratch: kho_scratch= on the
 * command line. crashkernel: crashkernel= on the command line. kexec_allowed:
 * /proc/sys/kernel/kexec_load_disabled. signature: the running kernel demands a signature. scratch:
 * kernel and initrd fit the scratch areas. memory: preserved memory, kernel and initrd fit the memory.
 * kernel_fault: a known fault of the running kernel.
 */
export type CheckCode =
  | "image"
  | "release"
  | "kho_format"
  | "luo_format"
  | "file_handlers"
  | "unlisted_files"
  | "liveupdate_built_in"
  | "kho_built_in"
  | "liveupdate_on"
  | "kho_on"
  | "command_line"
  | "duplicates"
  | "built_in_line"
  | "kho_scratch"
  | "crashkernel"
  | "kexec_allowed"
  | "signature"
  | "scratch"
  | "memory"
  | "kernel_fault";

/** One thing that was checked. */
export interface CheckLine {
  /** See `CheckCode`. */
  code: CheckCode;
  /** See `CheckVerdict`. */
  verdict: CheckVerdict;
  /** A clause for people */
  reason: string;
  /** Where the fact comes from, for people */
  source: string;
}

/** Whether a kernel image can take over from the running kernel. */
export interface Check {
  /** The worst verdict of the lines that decide */
  verdict: CheckVerdict;
  /** The release of the kernel in the image */
  release?: string;
  /** The line that the kernel prints first: release, builder, date */
  banner?: string;
  /** What the kernel was taken out of, from the outside: gzip, uki, zboot (zstd) */
  wraps: string[];
  /** The handover formats that the image knows: kho-v4 */
  formats: string[];
  /** See `CheckLine`. */
  lines: CheckLine[];
}

/**
 * file_not_restored: a file of a retrieved session was never restored. files_unknown: the session may
 * hold files that the agent does not know. file_resized: a preserved file has another size now.
 * file_preserved: a file of an outgoing session would no longer be preserved. file_not_restorable: the
 * kernel does not give out a file of a session that was handed over. file_not_preserved: the kernel
 * refused to preserve a file of a kept session again. values_not_preserved: the kernel does not take
 * the values of luo put. session_outgoing: an outgoing session would be lost. session_of_systemd: PID
 * 1 expects to retrieve the session. session_not_retrieved: an incoming session is not retrieved.
 * session_not_finished: a retrieved session is not finished. sessions_unknown: sessions may wait in
 * the kernel that luo does not know: the device cannot be opened, or luo has no list of the handover.
 * image_foreign: another program loaded the image. image_changed: the image can no longer be loaded as
 * it was. image_not_held: the agent has no copy of the image to load once more. image_truncated: the
 * image ends too early. image_unread: the kernel in the image cannot be read (damaged, too large, too
 * slow, packed in an unknown way), so nothing is known of it. image_old: the image is from before live
 * update. liveupdate_off: the command line of the image does not switch live update on. kho_off: the
 * command line of the image does not switch KHO on. kho_format: the image does not read KHO's tree as
 * the running kernel writes it. luo_format: the image does not read LUO's data as the running kernel
 * writes it. file_handlers: the image has no handler for preserved files. liveupdate_built_in: the
 * image is built without live update. kho_built_in: the image is built without KHO. access_changes:
 * the file descriptor would come back with other access. sealed_exec: the file would come back sealed
 * against writing. update_image: a live update is under way, and it is to go into the image that is
 * loaded. update_under_way: a live update is under way, and its participants have not all done their
 * part. participant_not_back: a participant of the live update did not take its part back.
 * memory_short: there is not enough memory for the file.
 */
export type ProblemCode =
  | "file_not_restored"
  | "files_unknown"
  | "file_resized"
  | "file_preserved"
  | "file_not_restorable"
  | "file_not_preserved"
  | "values_not_preserved"
  | "session_outgoing"
  | "session_of_systemd"
  | "session_not_retrieved"
  | "session_not_finished"
  | "sessions_unknown"
  | "image_foreign"
  | "image_changed"
  | "image_not_held"
  | "image_truncated"
  | "image_unread"
  | "image_old"
  | "liveupdate_off"
  | "kho_off"
  | "kho_format"
  | "luo_format"
  | "file_handlers"
  | "liveupdate_built_in"
  | "kho_built_in"
  | "access_changes"
  | "sealed_exec"
  | "update_image"
  | "update_under_way"
  | "participant_not_back"
  | "memory_short";

/** Why something is refused, as a stable word, with the session and the token that it is about. */
export interface Problem {
  /** See `ProblemCode`. */
  code: ProblemCode;
  /** The name of the session */
  session?: string;
  /** A u64 in decimal */
  token?: string;
}

/**
 * What an agent leaves for the next one, in two places: in the manifest, for the agent of the next
 * kernel, and in the record beside its socket, for the agent that comes after it in the same boot.
 */
export interface Journal {
  /** The version of the journal's format */
  version: number;
  /** The boot that the agent ran in */
  bootId: string;
  /** The release of its kernel */
  release: string;
  /** The process of the agent */
  pid: number;
  /** Live updates in a row. */
  updates: number;
  /** See `SessionInfo`. */
  sessions: SessionInfo[];
  /** See `ImageInfo`. */
  image?: ImageInfo;
  /** See `LastUpdate`. */
  lastUpdate?: LastUpdate;
  /**
   * Why sessions may wait in the kernel that are not listed: it was started by a live update, and luo
   * has no list of what was handed over. Left out when the list is complete
   */
  unlisted?: string;
  /** True: the session luo-values has values of luo put */
  values?: boolean;
  /** See `Loss`. */
  losses: Loss[];
  /** Sessions that were ended, and that may still be in the fd store: the next agent ends them there. */
  ending?: { name: string; outgoing: boolean }[];
  /** True: the sessions that the agent held are in systemd's fd store */
  stored?: boolean;
  /** The agent ended by itself, and what it held is among the losses. */
  ended: boolean;
}

/** A value of luo put as the agent stores it. */
export interface StoredValue {
  key: string;
  /** Base64 */
  data: string;
  /** When it was put */
  at: string;
}
