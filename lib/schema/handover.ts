/** A handover as `luo kho show` tells of it (docs/kho.md). Addresses and data are hexadecimal text with 0x. */
import { about, int, list, maybe, named, type Schema, struct, text, token } from "./parts.ts";

const ranges = list(struct({ address: text, order: int, count: int }));

/** The type `HandoverFile`. */
export const HandoverFile: Schema = named(
  "HandoverFile",
  struct({
    token,
    handler: about(text, "The handler and its format: memfd-v2"),
    data: about(text, "The handler's own u64; for memfds the address of a struct"),
    size: maybe(about(int, "Bytes of a memfd. This field and the next ones are missing for other files")),
    position: maybe(about(int, "The position of the file descriptor")),
    seals: maybe(about(int, "Missing before memfd-v2")),
    folios: maybe(about(int, "Folios that hold the contents")),
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
    flbs: maybe(
      about(
        list(struct({ name: text, data: text, files: text })),
        "Data that files share: the name, its data, and how many files",
      ),
    ),
  }),
  "What LUO hands over.",
);

const blob = struct({
  name: text,
  address: text,
  size: maybe(about(int, "Missing in formats before kho-v4")),
});

const kho = struct({
  format: about(text, "The format of the tree: kho-v4"),
  map: about(text, "The address of the preserved-memory map"),
  blobs: list(blob),
});

const preserved = struct({
  mapPages: about(int, "Pages of the map itself"),
  bytes: about(int, "Bytes that the map preserves"),
  ranges: about(ranges, "Each is count blocks of 2^order pages, from an address on"),
});

/** The type `Handover`. */
export const Handover: Schema = named(
  "Handover",
  struct({
    kho: maybe(about(kho, "KHO's tree")),
    metadata: maybe(about(struct({ previousRelease: text, kexecCount: int }), "The kernels before")),
    preserved: maybe(about(preserved, "The preserved memory")),
    scratch: maybe(about(
      list(struct({ address: text, size: int })),
      "The areas in which the next kernel boots: for low memory, for all memory, for each node. Size 0: the area is not needed",
    )),
    luo: maybe(HandoverLuo),
    notes: about(list(text), "Parts that could not be read, and why"),
  }),
  "What one kernel hands to the next.",
);
