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
    fromRelease: maybe(about(text, "As the kernel names itself on its console")),
    toRelease: maybe(about(text, "The same; missing when the next kernel said nothing")),
    sessions: about(int, "Sessions that were preserved"),
    files: about(int, "Files in them"),
    bytes: about(int, "Bytes in those"),
    scaled: about(bool, "Whether that is less than what the agent holds"),
    verifiedFiles: about(int, "Files that came over with every byte and every seal"),
    verifiedBytes: about(int, "Bytes in those"),
    problems: about(list(text), "What did not come over, a sentence each"),
    blackoutMs: maybe(about(
      int,
      "Milliseconds from the jump to the first instruction of the next init, by the clock of the host. The machine " +
        "is emulated: a real one is faster",
    )),
    consoleBefore: about(list(text), "The end of the console before the jump"),
    consoleAfter: about(list(text), "The end of the console after it, or the lines around its panic"),
  }),
  "How a live update went in a virtual machine.",
);
