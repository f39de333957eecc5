/** The system calls that a case can have another process make. */
import {
  decodeFd,
  encodeFd,
  encodeFinish,
  encodeGetName,
  encodeSession,
  LIVEUPDATE_IOCTL_CREATE_SESSION,
  LIVEUPDATE_IOCTL_RETRIEVE_SESSION,
  LIVEUPDATE_SESSION_FINISH,
  LIVEUPDATE_SESSION_GET_NAME,
  LIVEUPDATE_SESSION_PRESERVE_FD,
  LIVEUPDATE_SESSION_RETRIEVE_FD,
} from "../../ffi/abi/liveupdate.ts";
import type { Ret, SystemCalls, UserMemory } from "../../lib/system_calls.ts";

/** The system calls that another process makes for a case. On Linux their arguments travel as JSON. */
export const OTHER_CALLS = [
  "open",
  "close",
  "ioctl",
  "memfd_create",
  "pread",
  "pwrite",
  "getpid",
  "pidfd_open",
  "pidfd_getfd",
] as const;

export type RemoteCalls = Pick<SystemCalls, (typeof OTHER_CALLS)[number]>;
type Ioctl = Pick<SystemCalls, "ioctl">;

/** CREATE_SESSION with a well-formed argument. Like the next ones, it gives the new fd if the ioctl makes one. */
export function create(sys: Ioctl, device: number, name: string | Uint8Array): Ret {
  return withFd(sys, device, LIVEUPDATE_IOCTL_CREATE_SESSION, encodeSession(name));
}

export function retrieve(sys: Ioctl, device: number, name: string | Uint8Array): Ret {
  return withFd(sys, device, LIVEUPDATE_IOCTL_RETRIEVE_SESSION, encodeSession(name));
}

export function preserve(sys: Ioctl, session: number, fd: number, token: bigint): Ret {
  return sys.ioctl(session, LIVEUPDATE_SESSION_PRESERVE_FD, encodeFd(token, fd));
}

export function restore(sys: Ioctl, session: number, token: bigint): Ret {
  return withFd(sys, session, LIVEUPDATE_SESSION_RETRIEVE_FD, encodeFd(token));
}

export function finish(sys: Ioctl, session: number): Ret {
  return sys.ioctl(session, LIVEUPDATE_SESSION_FINISH, encodeFinish());
}

/** GET_NAME with a name field full of 0xaa. The answer is the struct as the kernel left it. */
export function getName(sys: Ioctl, session: number): Uint8Array | Ret {
  const argument = encodeGetName();
  argument.fill(0xaa, 8);
  const answer = sys.ioctl(session, LIVEUPDATE_SESSION_GET_NAME, argument);
  return answer < 0 ? answer : argument;
}

/** Memory of exactly these bytes: the next address is not mapped. */
export function memory(bytes: Uint8Array, writable = true): UserMemory {
  return { bytes, writable };
}

function withFd(sys: Ioctl, fd: number, request: number, argument: Uint8Array): Ret {
  const answer = sys.ioctl(fd, request, argument);
  return answer < 0 ? answer : decodeFd(argument);
}
