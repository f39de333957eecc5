/** Every exit code of `luo`, once. The README's table and a test follow this one. */
export const EXIT = {
  done: 0,
  /** The operation was tried and failed. */
  failed: 1,
  /** The command line cannot be right. */
  usage: 2,
  /** Not available here: no device, no permission, no agent. */
  unavailable: 3,
  /** Refused because data would be lost; `--force` overrides it. */
  refused: 4,
  /** Interrupted with Ctrl-C: 128 + SIGINT. */
  interrupted: 130,
  /** The reader of standard output went away: 128 + SIGPIPE, as `cat` does. */
  broken_pipe: 141,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The table for people, in `luo --help`, the manual page and the README. */
export const EXIT_MEANING: readonly (readonly [ExitCode, string])[] = [
  [EXIT.done, "done"],
  [EXIT.failed, "failed"],
  [EXIT.usage, "usage: the command line cannot be right"],
  [EXIT.unavailable, "not available here: no device, no permission, no agent"],
  [EXIT.refused, "refused, because data would be lost; --force overrides it"],
  [EXIT.interrupted, "interrupted"],
  [EXIT.broken_pipe, "the reader of standard output went away"],
];
