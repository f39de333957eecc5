/** The result of `luo rehearse IMAGE`. */
import { about, bool, int, list, maybe, named, type Schema, struct, text, words } from "./parts.ts";

/** The type `Rehearsal`. */
export const Rehearsal: Schema = named(
  "Rehearsal",
  struct({
    verdict: words({
      fits: "everything came over",
      does_not_fit: "the next kernel cannot take over: it panics, hangs, cannot be loaded or lost data",
      cannot_tell: "the rehearsal itself did not work",
    }),
    reason: about(text, "A sentence for people"),
    image: about(text, "The path of the next kernel"),
    from: about(text, "The path of the kernel that ran first"),
    fromRelease: maybe(about(text, "The release of the first kernel, by its console")),
    toRelease: maybe(
      about(text, "The release of the next kernel, by its console; missing when the kernel printed nothing"),
    ),
    sessions: about(int, "Sessions that were preserved"),
    files: about(int, "Files in these sessions"),
    bytes: about(int, "Bytes in these files"),
    scaled: about(bool, "Whether these files are fewer or smaller than those that the agent holds"),
    verifiedFiles: about(int, "Files that came over with every byte and every seal"),
    verifiedBytes: about(int, "Bytes in the verified files"),
    problems: about(list(text), "A sentence for each thing that did not come over"),
    blackoutMs: maybe(about(
      int,
      "Milliseconds from the jump to the first instruction of the next init, by the clock of the host. The machine " +
        "is emulated: a real one is faster",
    )),
    consoleBefore: about(list(text), "The end of the console before the jump"),
    consoleAfter: about(list(text), "The end of the console after the jump, or the lines around a panic"),
  }),
  "How a live update went in a virtual machine.",
);
