/** Random traffic: the device and its ioctls. */
import {
  decodeFd,
  decodeName,
  encodeFd,
  encodeFinish,
  encodeGetName,
  encodeSession,
  LIVEUPDATE_DEVICE,
  LIVEUPDATE_IOCTL_CREATE_SESSION,
  LIVEUPDATE_IOCTL_RETRIEVE_SESSION,
  LIVEUPDATE_SESSION_FINISH,
  LIVEUPDATE_SESSION_GET_NAME,
  LIVEUPDATE_SESSION_PRESERVE_FD,
  LIVEUPDATE_SESSION_RETRIEVE_FD,
} from "../../ffi/abi/liveupdate.ts";
import { errnoName } from "../../ffi/abi/errno.ts";
import { O_CLOEXEC, O_RDWR } from "../../ffi/abi/fcntl.ts";
import { DEVICE, device, file, fileSlot, session, sessionNames, SESSIONS, tokens } from "./aims.ts";
import type { Random } from "./random.ts";
import { result, type Slots } from "./slots.ts";

export type LuoOperation =
  | { op: "open_device"; to: number }
  | { op: "create" | "retrieve"; device: number; name: string; to: number }
  | { op: "preserve"; session: number; file: number; token: bigint }
  | { op: "retrieve_fd"; session: number; token: bigint; to: number }
  | { op: "finish" | "get_name"; session: number }
  | { op: "malformed"; slot: number; request: number; size: number; bytes: Uint8Array; writable: boolean }
  | { op: "null_pointer"; slot: number; request: number };

export const luoWeights = {
  open_device: 3,
  create: 9,
  retrieve: 7,
  preserve: 16,
  retrieve_fd: 10,
  finish: 3,
  get_name: 3,
  malformed: 10,
  null_pointer: 1,
} as const satisfies Record<LuoOperation["op"], number>;

const requests = [0xba00, 0xba01, 0xba40, 0xba41, 0xba42, 0xba43];

export function luoOperation(op: LuoOperation["op"], random: Random): LuoOperation {
  switch (op) {
    case "open_device":
      return { op, to: random.chance(80) ? DEVICE : file(random) };
    case "create":
    case "retrieve":
      return { op, device: device(random), name: random.pick(sessionNames), to: random.below(SESSIONS) };
    case "preserve":
      return { op, session: session(random), file: file(random), token: random.pick(tokens) };
    case "retrieve_fd":
      return { op, session: session(random), token: random.pick(tokens), to: fileSlot(random) };
    case "finish":
    case "get_name":
      return { op, session: session(random) };
    case "malformed":
      return malformed(random);
    case "null_pointer":
      return { op, slot: random.chance(50) ? DEVICE : session(random), request: random.pick(requests) };
  }
}

/** An ioctl whose number, size, tail or memory is usually wrong in one or more ways. */
function malformed(random: Random): LuoOperation {
  const request = random.chance(70)
    ? random.pick(requests)
    : random.pick([0xba02, 0xba3f, 0xba44, 0xbaff, 0x4008ba00, 0xc010ba40, 0xbb00, 0x5451, 0x5421, 0]);
  const right = request === 0xba42 ? 8 : request === 0xba40 || request === 0xba41 ? 16 : 72;
  const size = random.pick([0, 4, right - 1, right, right, right + 1, right + 8, 4096, 0xffffffff]);
  const mapped = random.pick([0, 3, 4, 8, right - 1, right, right + 1, right + 8, right + 64]);
  const bytes = new Uint8Array(mapped);
  if (random.chance(40)) bytes.set(random.bytes(mapped));
  // An fd -1 or a short name after the size often makes sense, so that the call passes the generic checks.
  if (mapped >= 16 && random.chance(60)) bytes.fill(0, 4, right);
  if (mapped >= 16 && right === 72 && random.chance(60)) {
    bytes.set(new TextEncoder().encode(random.pick(sessionNames)), 8);
  }
  if (mapped >= 4) new DataView(bytes.buffer).setUint32(0, size, true);
  return {
    op: "malformed",
    slot: random.chance(40) ? DEVICE : session(random),
    request,
    size,
    bytes,
    writable: random.chance(85),
  };
}

export class Luo {
  constructor(readonly slots: Slots) {}

  apply(o: LuoOperation): string {
    const { slots, slots: { sys } } = this;
    switch (o.op) {
      case "open_device":
        return slots.keep(o.to, sys.open(LIVEUPDATE_DEVICE, O_RDWR | O_CLOEXEC));
      case "create":
      case "retrieve":
        return this.#session(o);
      case "preserve":
        return result(
          sys.ioctl(
            slots.fd(o.session),
            LIVEUPDATE_SESSION_PRESERVE_FD,
            encodeFd(o.token, slots.fd(o.file)),
          ),
        );
      case "retrieve_fd": {
        const argument = encodeFd(o.token);
        const answer = sys.ioctl(slots.fd(o.session), LIVEUPDATE_SESSION_RETRIEVE_FD, argument);
        return answer < 0 ? errnoName(answer) : slots.keep(o.to, decodeFd(argument));
      }
      case "finish":
        return result(sys.ioctl(slots.fd(o.session), LIVEUPDATE_SESSION_FINISH, encodeFinish()));
      case "get_name": {
        const argument = encodeGetName();
        const answer = sys.ioctl(slots.fd(o.session), LIVEUPDATE_SESSION_GET_NAME, argument);
        return answer < 0 ? errnoName(answer) : decodeName(argument).toHex();
      }
      case "malformed":
        return this.#malformed(o);
      case "null_pointer":
        return result(sys.ioctl(slots.fd(o.slot), o.request, null));
    }
  }

  #session(o: Extract<LuoOperation, { op: "create" | "retrieve" }>): string {
    const argument = encodeSession(o.name);
    const request = o.op === "create" ? LIVEUPDATE_IOCTL_CREATE_SESSION : LIVEUPDATE_IOCTL_RETRIEVE_SESSION;
    const answer = this.slots.sys.ioctl(this.slots.fd(o.device), request, argument);
    return answer < 0 ? errnoName(answer) : this.slots.keep(o.to, decodeFd(argument));
  }

  #malformed(o: Extract<LuoOperation, { op: "malformed" }>): string {
    const bytes = o.bytes.slice();
    const answer = this.slots.sys.ioctl(this.slots.fd(o.slot), o.request, { bytes, writable: o.writable });
    if (answer < 0) return errnoName(answer);
    const makesFd = [
      LIVEUPDATE_IOCTL_CREATE_SESSION,
      LIVEUPDATE_IOCTL_RETRIEVE_SESSION,
      LIVEUPDATE_SESSION_RETRIEVE_FD,
    ];
    if (makesFd.includes(o.request) && bytes.length >= 8) {
      this.slots.sys.close(decodeFd(bytes));
      bytes.fill(0, 4, 8);
    }
    return `${answer} ${bytes.toHex()}`;
  }
}
