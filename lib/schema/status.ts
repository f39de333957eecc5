/** The machine as the agent sees it: kernel, device, loaded image, last update. */
import {
  about,
  bool,
  bytes,
  type Fields,
  int,
  list,
  maybe,
  named,
  oneOf,
  type Schema,
  struct,
  text,
  time,
  words,
} from "./parts.ts";
import { Loss, Session } from "./session.ts";

/** Whether the kernel is Linux or the model. No text gives this a type name: the two words are clear. */
export const backend: Schema = about(oneOf("linux", "model"), "The kernel: Linux or the model");

/** The fields of `Image`. A new one is optional: journals of older agents do not have it. */
export const imageFields: Fields = {
  loaded: about(bool, "False: no image is loaded"),
  by: maybe(about(
    oneOf("luo", "other"),
    "Who loaded it, as far as this agent knows. The image of another program can be one that drops all sessions",
  )),
  kernel: maybe(about(text, "The path that was given")),
  initrd: maybe(
    about(
      text,
      'The path that was given; several are named "a + b", in the order in which they lie in memory',
    ),
  ),
  size: maybe(about(int, "The size of the kernel file")),
  digest: maybe(about(text, '"sha256:" and 64 hex digits of the kernel file as it was judged and loaded')),
  initrdSize: maybe(bytes),
  initrdDigest: maybe(about(text, '"sha256:" and 64 hex digits of the initrd as it was loaded')),
  release: maybe(about(text, "The release in the image's own header")),
  commandLine: maybe(about(text, "The command line of the next kernel")),
  loadedAt: maybe(time),
  held: maybe(about(
    bool,
    "Whether the agent has a sealed copy of kernel and initrd, and loads it once more before it is executed",
  )),
};

/** The type `Image`. */
export const Image: Schema = named("Image", struct(imageFields), "The loaded image: the next kernel.");

/** The type `LastUpdate`. */
export const LastUpdate: Schema = named(
  "LastUpdate",
  struct({
    fromRelease: about(text, "The release of the kernel before"),
    toRelease: about(text, "The release of this kernel"),
    at: about(text, "When the agent of the new kernel found the manifest"),
    count: about(int, "Live updates in a row that this manifest has come through"),
    sessions: about(int, "Sessions that were handed over"),
    files: about(int, "Files in them"),
    bytes: about(int, "Bytes in these files"),
  }),
  "The live update that began this boot.",
);

/** The type `Kernel`. */
export const Kernel: Schema = named(
  "Kernel",
  struct({
    release: about(text, "The kernel's release, by uname(2)"),
    machine: about(text, "x86_64 or aarch64"),
    bootId: about(text, "/proc/sys/kernel/random/boot_id"),
    commandLine: about(text, "/proc/cmdline"),
  }),
  "The running kernel.",
);

/** The type `Device`. */
export const Device: Schema = named(
  "Device",
  struct({
    path: about(text, "The path of the device file"),
    state: words({
      ready: "the agent opened it the last time; it is open only while the agent uses it",
      absent: "this kernel has no live update",
      busy: "another program has it open",
      denied: "no permission",
      broken: "the kernel cannot read what was handed over, and gives EIO until the next kexec",
    }),
    errno: maybe(about(text, "The name of the error of a failed open: EBUSY")),
    unread: maybe(about(
      bool,
      "True: the agent never had the device in this boot, and does not know which sessions wait in the kernel",
    )),
    seenAt: maybe(about(text, "When the agent opened it the last time, or failed to. RFC 3339, in UTC")),
  }),
  "/dev/liveupdate.",
);

/** The type `Agent`. */
export const Agent: Schema = named(
  "Agent",
  struct({
    pid: about(int, "The process of the agent"),
    version: about(text, "The version of luo"),
    socket: about(text, "The path where it listens"),
    startedAt: time,
    store: maybe(about(
      struct({
        room: about(int, "The most entries (FileDescriptorStoreMax=)"),
        used: about(int, "Entries now"),
      }),
      "systemd's fd store, which keeps the sessions when the agent ends. Missing without one: the agent's end loses what it holds",
    )),
    unrecorded: maybe(
      about(
        text,
        "Why the journal could not be written the last time: an agent that starts after this one would know less",
      ),
    ),
  }),
  "The agent that answers.",
);

/** The type `Value`. */
export const Value: Schema = named(
  "Value",
  struct({
    key: about(text, "1 to 255 bytes, without control characters"),
    size: bytes,
    at: about(text, "When it was put: RFC 3339, in UTC"),
  }),
  "A value of luo put, without its bytes.",
);

/** Why a list of sessions may be incomplete. */
export const unlisted: Schema = maybe(about(
  text,
  "Why sessions may wait in the kernel that are not listed: it was started by a live update, and luo has no list of what was " +
    "handed over. Left out when the list is complete",
));

/** The type `Status`. */
export const Status: Schema = named(
  "Status",
  struct({
    backend,
    kernel: Kernel,
    device: Device,
    agent: Agent,
    image: Image,
    sessions: list(Session),
    unlisted,
    lastUpdate: maybe(about(LastUpdate, "Missing when this boot began without one")),
    values: maybe(about(
      struct({ count: about(int, "Keys"), bytes: about(int, "Of all keys and values") }),
      "The values of luo put; missing when there are none",
    )),
    losses: about(list(Loss), "Lost in this kernel or an earlier one, and not cleared since"),
  }),
  "Everything there is to know.",
);
