/** A log that clients cannot fill: after some lines in a short time, only the number of further lines is written. */

const LINES = 20;
const WINDOW_MS = 10_000;

/** The log of lines that a client can cause. */
export function limitedLog(
  log: (line: string) => void,
  now = () => performance.now(),
): (line: string) => void {
  let begun = -Infinity;
  let lines = 0;
  return (line) => {
    if (now() - begun > WINDOW_MS) {
      if (lines > LINES) log(`Left out ${lines - LINES} lines about clients in ${WINDOW_MS / 1000} seconds`);
      begun = now();
      lines = 0;
    }
    lines++;
    if (lines <= LINES) log(line);
  };
}
