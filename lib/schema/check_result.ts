/** The result of `luo kexec check`. */
import { about, list, maybe, named, type Schema, struct, text, words } from "./parts.ts";

/** The type `CheckVerdict`. */
export const CheckVerdict: Schema = named(
  "CheckVerdict",
  words({
    fits: "nothing stands against it",
    does_not_fit: "preserved data would be lost, or the image cannot be loaded",
    cannot_tell: "a fact is missing: the reason says which",
  }),
);

/** The type `CheckCode`. A new check is a new word. */
export const CheckCode: Schema = named(
  "CheckCode",
  words({
    image: "kexec_file_load(2) takes the image, and the file is whole",
    release: "the release has live update",
    kho_format: "the image reads KHO's tree as the running kernel writes it",
    luo_format: "the image reads LUO's data as the running kernel writes it",
    file_handlers: "the image has the handlers of preserved files",
    unlisted_files: "other programs may have preserved files that luo cannot list",
    liveupdate_built_in: "CONFIG_LIVEUPDATE",
    kho_built_in: "CONFIG_KEXEC_HANDOVER",
    liveupdate_on: "liveupdate= on the command line",
    kho_on: "kho= on the command line, or the default of the image",
    command_line: "the kernel takes the command line whole",
    duplicates: "words that are given more than once",
    built_in_line: "the command line that is built into the image",
    kho_scratch: "kho_scratch= on the command line",
    crashkernel: "crashkernel= on the command line",
    kexec_allowed: "/proc/sys/kernel/kexec_load_disabled",
    signature: "the running kernel demands a signature",
    scratch: "kernel and initrd fit the scratch areas",
    memory: "preserved memory, kernel and initrd fit the memory",
    kernel_fault: "a known fault of the running kernel",
  }),
);

/** The type `CheckLine`. */
export const CheckLine: Schema = named(
  "CheckLine",
  struct({
    code: CheckCode,
    verdict: CheckVerdict,
    reason: about(text, "A clause for people"),
    source: about(text, "Where the fact comes from, for people"),
  }),
  "One thing that was checked.",
);

/** The type `Check`. */
export const Check: Schema = named(
  "Check",
  struct({
    verdict: about(CheckVerdict, "The worst verdict of the lines that decide"),
    release: maybe(about(text, "The release of the kernel in the image")),
    banner: maybe(about(text, "The line that the kernel prints first: release, builder, date")),
    wraps: about(list(text), "What the kernel was taken out of, from the outside: gzip, uki, zboot (zstd)"),
    formats: about(list(text), "The handover formats that the image knows: kho-v4"),
    lines: list(CheckLine),
  }),
  "Whether a kernel image can take over from the running kernel.",
);
