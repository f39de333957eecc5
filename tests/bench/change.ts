/** The loop of changes that is measured beside the same in C (`vm.c`). */
import { MFD_CLOEXEC, MFD_EXEC, O_CLOEXEC, O_RDWR } from "../../ffi/abi/fcntl.ts";
import { LIVEUPDATE_IOCTL_CREATE_SESSION } from "../../ffi/abi/liveupdate.ts";
import { check } from "../../lib/error.ts";
import { Fd } from "../../lib/fd.ts";
import { linux } from "../../lib/linux/system_calls.ts";
import { type Device, openDevice } from "../../lib/session.ts";
import type { SystemCalls } from "../../lib/system_calls.ts";

/** Microseconds. */
export function change(device: Device, contents: Uint8Array, count: number): number {
  const { sys } = device.fd;
  const begin = performance.now();
  for (let index = 0; index < count; index++) {
    const session = device.create(`bench ${index}`);
    const fd = filled(sys, contents);
    session.preserve(fd, 1n);
    fd.close();
    session.close();
  }
  return 1000 * (performance.now() - begin);
}

export function filled(sys: SystemCalls, contents: Uint8Array): Fd {
  const fd = Fd.of(sys, sys.memfd_create("bench", MFD_CLOEXEC | MFD_EXEC), "memfd_create");
  check(sys.write(fd.number, contents), "write", "a file");
  return fd;
}

/** The device of a host without live update: its ioctls ask /dev/null, and a session is a copy of its fd, as of `vm host`. */
export function deviceOfHost(): Device {
  const sys = linux();
  const none = check(sys.open("/dev/null", O_RDWR | O_CLOEXEC), "open", "/dev/null");
  const ioctl: SystemCalls["ioctl"] = (fd, request, argument) => {
    sys.ioctl(fd, request, argument);
    if (request !== LIVEUPDATE_IOCTL_CREATE_SESSION || !(argument instanceof Uint8Array)) return 0;
    const copy = sys.dup(none);
    [argument[4], argument[5]] = [copy, copy >> 8];
    [argument[6], argument[7]] = [0, 0];
    return 0;
  };
  return openDevice({ ...sys, open: () => none, ioctl });
}
