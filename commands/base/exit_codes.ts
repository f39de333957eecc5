/** The exit codes of `luo`. A test holds the table in the README to this one. */
export const EXIT = {
  done: 0,
  /** The operation was tried and failed. */
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
  /** Something is missing here: the device, a permission, the agent. */
  unavailable: 3,
  /** Refused because data would be lost (`--force` overrides it); or a check says no: `doctor`, `kexec check`, `rehearse IMAGE`. */
  refused: 4,
  /** With `status --exit-code`: preserved data was lost. */
  lost: 5,
  /** With `status --exit-code`: sessions that were handed over are not finished. */
  waiting: 6,
  /** There is no value under the key: `luo get`, `luo drop`. */
  absent: 7,
  /** The command to execute is there but cannot be executed: as env(1) and timeout(1) have it. */
  not_executable: 126,
  /** There is no such command to execute. */
  not_found: 127,
  /** Interrupted with Ctrl-C: 128 + SIGINT. */
  interrupted: 130,
  /** The reader of standard output closed the pipe: 128 + SIGPIPE, as with `cat`. */
  broken_pipe: 141,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The meaning of each exit code, for the manual page and the README. */
export const EXIT_MEANING: readonly (readonly [ExitCode, string])[] = [
  [EXIT.done, "done"],
  [EXIT.failed, "failed"],
  [EXIT.usage, "usage: the command line is wrong"],
  [EXIT.unavailable, "not available here: no device, no permission, no agent, or no answer in time"],
  [EXIT.refused, "refused, because data would be lost (--force overrides it); or a check says no"],
  [EXIT.lost, "status --exit-code: preserved data was lost"],
  [EXIT.waiting, "status --exit-code: sessions that were handed over are not finished"],
  [EXIT.absent, "get, drop: there is no value under the key"],
  [EXIT.not_executable, "the command to execute cannot be executed"],
  [EXIT.not_found, "there is no such command to execute"],
  [EXIT.interrupted, "interrupted"],
  [EXIT.broken_pipe, "the reader of standard output closed the pipe"],
];
