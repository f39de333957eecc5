/** A log whose failures are ignored. */
import { ProcessKilled } from "../system_calls.ts";

/** A log on a full disk must not end the agent. */
export function unfailing(log: (line: string) => void): (line: string) => void {
  return (line) => {
    try {
      log(line);
    } catch (error) {
      if (error instanceof ProcessKilled) throw error;
    }
  };
}
