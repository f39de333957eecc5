/** systemd in the answer of `luo status`: its count of kexecs, and what its fd stores hold. */
import { about, int, list, maybe, named, type Schema, struct, text, words } from "./parts.ts";

const entry = struct({
  name: about(text, "Its name in the store"),
  kind: words({
    session: "a session",
    memfd: "a memfd, which systemd preserves in its own session at a kexec",
    other: "another file, which does not go over a kexec",
  }),
  session: maybe(about(text, "The name of the session. Missing: the kernel does not tell it")),
});

/** The type `SystemdStore`. */
export const SystemdStore: Schema = named(
  "SystemdStore",
  struct({
    unit: about(text, "The name of the unit"),
    preserve: maybe(words({
      yes: "the store outlives the unit's stop, and so a kexec by systemd 261 and later",
      restart: "a stop of the unit empties the store, and so does a kexec",
      no: "the end of the service empties the store",
    })),
    room: maybe(about(int, "The most entries (FileDescriptorStoreMax=)")),
    entries: maybe(about(list(entry), "Missing: unknown")),
  }),
  "The fd store of a unit that is not empty. Fields that systemd did not answer are missing.",
);

/** The type `Systemd`. */
export const Systemd: Schema = named(
  "Systemd",
  struct({
    version: maybe(about(text, "The version as systemd writes it. Missing: unknown")),
    kexecCount: maybe(about(
      int,
      "Kexecs in a row that systemd's own session came through (KExecCount). Missing: unknown",
    )),
    stores: maybe(about(list(SystemdStore), "The fd stores that are not empty, by unit. Missing: unknown")),
    missing: maybe(about(
      list(text),
      "Sessions that the agent holds and no store has, although the agent has a store: they end with the agent",
    )),
    unknown: about(list(text), "A sentence for each fact that is unknown"),
  }),
  "systemd, process 1 of this machine.",
);
