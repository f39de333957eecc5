/** One served call as strace prints it. */
import { errnoName } from "../../ffi/abi/errno.ts";
import {
  LIVEUPDATE_IOCTL_CREATE_SESSION,
  LIVEUPDATE_IOCTL_RETRIEVE_SESSION,
  LIVEUPDATE_SESSION_FINISH,
  LIVEUPDATE_SESSION_GET_NAME,
  LIVEUPDATE_SESSION_PRESERVE_FD,
  LIVEUPDATE_SESSION_RETRIEVE_FD,
} from "../../ffi/abi/liveupdate.ts";
import type { Notification, TrappedCall } from "../../ffi/abi/seccomp.ts";

const REQUESTS: ReadonlyMap<number, string> = new Map([
  [LIVEUPDATE_IOCTL_CREATE_SESSION, "LIVEUPDATE_IOCTL_CREATE_SESSION"],
  [LIVEUPDATE_IOCTL_RETRIEVE_SESSION, "LIVEUPDATE_IOCTL_RETRIEVE_SESSION"],
  [LIVEUPDATE_SESSION_PRESERVE_FD, "LIVEUPDATE_SESSION_PRESERVE_FD"],
  [LIVEUPDATE_SESSION_RETRIEVE_FD, "LIVEUPDATE_SESSION_RETRIEVE_FD"],
  [LIVEUPDATE_SESSION_FINISH, "LIVEUPDATE_SESSION_FINISH"],
  [LIVEUPDATE_SESSION_GET_NAME, "LIVEUPDATE_SESSION_GET_NAME"],
]);

/** `[1234] ioctl(3, LIVEUPDATE_SESSION_FINISH, 0x7ffe...) = -1 EBUSY <85 us>`; without a newline. */
export function traceLine(
  name: TrappedCall | undefined,
  { tid, args }: Notification,
  answer: number,
  duration_ms: number,
): string {
  const shown = args.map((argument, index) => {
    const request = name === "ioctl" && index === 1 ? REQUESTS.get(Number(argument)) : undefined;
    if (request !== undefined) return request;
    return argument < 65536n ? `${argument}` : `0x${argument.toString(16)}`;
  });
  const count = name === "ioctl" || name === "open" || name === "reboot" ? 3 : 4;
  const result = answer < 0 ? `-1 ${errnoName(answer)}` : `${answer}`;
  const us = Math.round(duration_ms * 1000);
  return `[${tid}] ${name}(${shown.slice(0, count).join(", ")}) = ${result} <${us} us>`;
}
