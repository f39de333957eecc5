/** Cases with a kexec: failing ioctls on sessions of the previous kernel. */
import { encodeFd, encodeFinish, encodeSession } from "../../../ffi/abi/liveupdate.ts";
import { memory, restore } from "../calls.ts";
import { answers, ok, pattern, type RebootCase, type World } from "../world.ts";
import { give } from "./handover_session.ts";

export const sessionErrorRebootCases: readonly RebootCase[] = [
  {
    name: "RETRIEVE_SESSION with an answer that cannot be written: EFAULT, and the session is finished",
    ...give("unwritable"),
    after(world) {
      answers(world.ioctl(world.device, 0xba01, memory(encodeSession("unwritable"), false)), "EFAULT");
      answers(world.tryRetrieve("unwritable"), "ENOENT");
    },
  },
  {
    name: "RETRIEVE_FD with an answer that cannot be written: EFAULT, and the file can still be retrieved",
    ...give("unwritable file"),
    after(world) {
      const session = world.retrieve("unwritable file");
      answers(world.ioctl(session, 0xba41, memory(encodeFd(1n), false)), "EFAULT");
      world.holds(world.restore(session, 1n), pattern(100));
    },
  },
  {
    name: "FINISH with an answer that cannot be written: EFAULT, and the session is finished",
    ...give("unwritable finish"),
    after(world) {
      const session = world.retrieve("unwritable finish");
      answers(world.ioctl(session, 0xba42, memory(encodeFinish(), false)), "EFAULT");
      answers(restore(world.sys, session, 1n), "ENOENT");
    },
  },
  {
    name: "an incoming session checks arguments as an outgoing one does",
    ...give("malformed incoming"),
    after(world) {
      const session = world.retrieve("malformed incoming");
      for (const [number, size] of [[0xba41, 16], [0xba42, 8]] as const) {
        const argument = (says: number, tail: number) => {
          const bytes = new Uint8Array(size + 8).fill(tail, size);
          new DataView(bytes.buffer).setUint32(0, says, true);
          return bytes;
        };
        answers(world.ioctl(session, number, null), "EFAULT");
        answers(world.ioctl(session, number, argument(0, 0)), "EINVAL");
        answers(world.ioctl(session, number, argument(size - 1, 0)), "EINVAL");
        answers(world.ioctl(session, number, argument(size + 8, 1)), "E2BIG");
        answers(world.ioctl(session, number, memory(argument(size, 0).slice(0, size - 1))), "EFAULT");
        answers(world.ioctl(session, 0xc0000000 + number, argument(size, 0)), "ENOTTY");
      }
      answers(world.ioctl(session, 0xba44, null), "EINVAL");
      world.holds(world.restore(session, 1n), pattern(100));
    },
  },
  {
    name: "EMFILE on RETRIEVE_SESSION and RETRIEVE_FD changes nothing",
    ...give("no fd left"),
    after(world) {
      const device = world.device;
      const refused = full(world, () => world.tryRetrieve("no fd left"));
      answers(refused, "EMFILE");
      const session = world.retrieve("no fd left");
      answers(full(world, () => restore(world.sys, session, 1n)), "EMFILE");
      answers(full(world, () => restore(world.sys, session, 99n)), "EMFILE");
      world.holds(world.restore(session, 1n), pattern(100));
      ok(device >= 0);
    },
  },
];

/** Calls `act` while the process has no free fd. */
function full(world: World, act: () => number): number {
  const filler: number[] = [];
  for (let fd = world.sys.dup(world.device); fd >= 0; fd = world.sys.dup(world.device)) filler.push(fd);
  const answer = act();
  filler.forEach((fd) => world.sys.close(fd));
  return answer;
}
