/** Finds out by questions to the kernel what a client did with the fd of a session: which tokens it used, and whether it has finished it. */
import { Errno } from "../../ffi/abi/errno.ts";
import { encodeFd, LIVEUPDATE_SESSION_PRESERVE_FD } from "../../ffi/abi/liveupdate.ts";
import { LuoError } from "../error.ts";
import type { IncomingSession, OutgoingSession } from "../session.ts";

/** Programs number their files from 0 or 1. */
const TOKENS_ASKED = 4096n;

/**
 * The tokens below 4096 that are used in a session. The kernel cannot list them, but luo_preserve_file() looks for the token (EEXIST)
 * before it looks at the fd (EBADF).
 */
export function usedTokens({ fd: { sys, number } }: OutgoingSession): bigint[] {
  const used: bigint[] = [];
  for (let token = 0n; token < TOKENS_ASKED; token++) {
    const answer = sys.ioctl(number, LIVEUPDATE_SESSION_PRESERVE_FD, encodeFd(token, -1));
    if (answer === -Errno.EEXIST) used.push(token);
  }
  return used;
}

/** Whether another process has finished the session. `token` is one of its files. */
export function isFinished(session: IncomingSession, token: bigint): boolean {
  try {
    session.restore(token).close();
    return false;
  } catch (error) {
    if (error instanceof LuoError) return error.is("ENOENT");
    throw error;
  }
}
