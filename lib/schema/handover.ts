/** A handover as `luo kho show` tells of it (docs/kho.md). Addresses and data are hexadecimal text with 0x. */
import { about, int, list, maybe, named, type Schema, struct, text, token } from "./parts.ts";

const ranges = list(struct({ address: text, order: int, count: int }));

/** The type `HandoverFile`. */
export const HandoverFile: Schema = named(
  "HandoverFile",
  struct({
    token,
    handler: text,
    data: about(text, "The handler's own u64; for memfds the address of a struct"),
    size: maybe(about(int, "Bytes of a memfd. This field and the next ones are missing for other files")),
    position: maybe(int),
    seals: maybe(about(int, "Missing before memfd-v2")),
    folios: maybe(int),
  }),
  "A file in a handover.",
);

/** The type `HandoverLuo`. */
export const HandoverLuo: Schema = named(
  "HandoverLuo",
  struct({
    format: about(text, '"luo-v5"; for luo-v1 with the format of its sessions: "luo-v1, luo-session-v2"'),
    liveupdateNumber: about(text, "A u64 in decimal"),
    sessions: maybe(about(
      list(struct({ name: text, files: list(HandoverFile) })),
      "Missing when only the blob could be read",
    )),
    flbs: maybe(list(struct({ name: text, data: text, files: text }))),
  }),
  "What LUO hands over.",
);

/** The type `Handover`. */
export const Handover: Schema = named(
  "Handover",
  struct({
    kho: maybe(struct({
      format: text,
      map: about(text, "The address of the preserved-memory map"),
      blobs: list(struct({
        name: text,
        address: text,
        size: maybe(about(int, "Missing in formats before kho-v4")),
      })),
    })),
    metadata: maybe(struct({ previousRelease: text, kexecCount: int })),
    preserved: maybe(struct({
      mapPages: about(int, "Pages of the map itself"),
      bytes: about(int, "Bytes that the map preserves"),
      ranges: about(ranges, "Each is count blocks of 2^order pages, from an address on"),
    })),
    scratch: maybe(about(
      list(struct({ address: text, size: int })),
      "The areas in which the next kernel boots: for low memory, for all memory, for each node. Size 0: the area is not needed",
    )),
    luo: maybe(HandoverLuo),
    notes: about(list(text), "Parts that could not be read, and why"),
  }),
  "What one kernel hands to the next.",
);
