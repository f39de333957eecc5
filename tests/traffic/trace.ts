import * as abi from "../../ffi/abi/fcntl.ts";
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
import type { Kernel, Ret } from "../../lib/kernel.ts";
import type { TrafficHost } from "./host.ts";
import { Images } from "./images.ts";
import { KeptMappings } from "./mappings.ts";
import { Names } from "./names.ts";
import { type Operation, type SlotOperation, SLOTS } from "./operations.ts";
import { Processes } from "./processes.ts";
import { result, Slots } from "./slots.ts";

const PAGE = 4096;

/** Applies operations to one kernel and says of each what it was and what came of it, without fd numbers and inodes. */
export class Traffic {
  readonly kernel: Kernel;
  readonly #slots: Slots;
  readonly #processes: Processes;
  readonly #names: Names;
  readonly #mappings: KeptMappings;
  readonly #images: Images;
  readonly #mail: [number, number];
  #inFlight = 0;

  constructor(readonly host: TrafficHost) {
    this.kernel = host.kernel;
    this.#slots = new Slots(host.kernel, SLOTS);
    this.#processes = new Processes(host, this.#slots);
    this.#names = new Names(this.#slots, host.tmpfs);
    this.#mappings = new KeptMappings(this.#slots);
    this.#images = new Images(host, this.#slots);
    const pair = this.kernel.socketpair();
    if (typeof pair === "number") throw new Error(`Cannot make the mailbox socketpair (${errnoName(pair)})`);
    this.#mail = pair;
  }

  line(operation: Operation): string {
    const { op, ...rest } = operation;
    const words = Object.entries(rest).map(([key, value]) =>
      `${key}=${value instanceof Uint8Array ? value.toHex() : value}`
    );
    return `${op} ${words.join(" ")} -> ${this.#apply(operation)}`;
  }

  #fd(slot: number): number {
    return this.#slots.fd(slot);
  }

  #keep(slot: number, fd: Ret): string {
    return this.#slots.keep(slot, fd);
  }

  #apply(o: Operation): string {
    const k = this.kernel;
    switch (o.op) {
      case "open_device":
        return this.#keep(o.to, k.open(LIVEUPDATE_DEVICE, abi.O_RDWR | abi.O_CLOEXEC));
      case "create":
      case "retrieve":
        return this.#session(o);
      case "preserve":
        return result(
          k.ioctl(this.#fd(o.session), LIVEUPDATE_SESSION_PRESERVE_FD, encodeFd(o.token, this.#fd(o.file))),
        );
      case "retrieve_fd": {
        const argument = encodeFd(o.token);
        const answer = k.ioctl(this.#fd(o.session), LIVEUPDATE_SESSION_RETRIEVE_FD, argument);
        return answer < 0 ? errnoName(answer) : this.#keep(o.to, decodeFd(argument));
      }
      case "finish":
        return result(k.ioctl(this.#fd(o.session), LIVEUPDATE_SESSION_FINISH, encodeFinish()));
      case "get_name": {
        const argument = encodeGetName();
        const answer = k.ioctl(this.#fd(o.session), LIVEUPDATE_SESSION_GET_NAME, argument);
        return answer < 0 ? errnoName(answer) : decodeName(argument).toHex();
      }
      case "malformed":
        return this.#malformed(o);
      case "null_pointer":
        return result(k.ioctl(this.#fd(o.slot), o.request, null));
      case "spawn":
      case "kill":
        return this.#processes.apply(o);
      case "open_name":
      case "unlink":
      case "link":
      case "open_fifo":
      case "open_directory":
        return this.#names.apply(o);
      case "map_keep":
      case "map_store":
      case "map_load":
      case "map_remove":
      case "map_drop":
        return this.#mappings.apply(o);
      case "load_image":
      case "kexec_nothing":
      case "reboot_unknown":
        return this.#images.apply(o);
      default:
        return this.#files(o);
    }
  }

  #session(o: Extract<Operation, { op: "create" | "retrieve" }>): string {
    const argument = encodeSession(o.name);
    const request = o.op === "create" ? LIVEUPDATE_IOCTL_CREATE_SESSION : LIVEUPDATE_IOCTL_RETRIEVE_SESSION;
    const answer = this.kernel.ioctl(this.#fd(o.device), request, argument);
    return answer < 0 ? errnoName(answer) : this.#keep(o.to, decodeFd(argument));
  }

  #malformed(o: Extract<Operation, { op: "malformed" }>): string {
    const bytes = o.bytes.slice();
    const answer = this.kernel.ioctl(this.#fd(o.slot), o.request, { bytes, writable: o.writable });
    if (answer < 0) return errnoName(answer);
    const makesFd = [
      LIVEUPDATE_IOCTL_CREATE_SESSION,
      LIVEUPDATE_IOCTL_RETRIEVE_SESSION,
      LIVEUPDATE_SESSION_RETRIEVE_FD,
    ];
    if (makesFd.includes(o.request) && bytes.length >= 8) {
      this.kernel.close(decodeFd(bytes));
      bytes.fill(0, 4, 8);
    }
    return `${answer} ${bytes.toHex()}`;
  }

  #files(o: SlotOperation): string {
    const k = this.kernel;
    switch (o.op) {
      case "memfd":
        return this.#keep(o.to, k.memfd_create("traffic", o.flags));
      case "open_tmpfile":
        return this.#keep(o.to, k.open(this.host.tmpfs, abi.O_TMPFILE | o.flags | abi.O_CLOEXEC, 0o600));
      case "null_device":
        return this.#keep(o.to, k.open("/dev/null", abi.O_RDWR | abi.O_CLOEXEC));
      case "pidfd":
        return this.#keep(o.to, k.pidfd_open(k.getpid(), 0));
      case "pipe":
        return this.#half(o.to, k.pipe2(abi.O_CLOEXEC | abi.O_NONBLOCK));
      case "socketpair":
        return this.#half(o.to, k.socketpair());
      case "dup":
        return this.#keep(o.to, k.dup(this.#fd(o.from)));
      case "fcntl_dup":
        return this.#keep(o.to, k.fcntl(this.#fd(o.from), o.command, o.at));
      case "set_cloexec":
        return result(k.fcntl(this.#fd(o.slot), abi.F_SETFD, o.argument));
      case "reopen":
        return this.#reopen(o);
      case "close":
        return this.#slots.close(o.slot);
      case "send":
      case "receive":
        return this.#post(o);
      default:
        return this.#contents(o);
    }
  }

  /** Reading or writing pipes and sockets could block: both halves are made, one is kept, so that every call returns. */
  #half(slot: number, pair: [number, number] | Ret): string {
    if (typeof pair === "number") return errnoName(pair);
    this.kernel.close(pair[1]);
    return this.#keep(slot, pair[0]);
  }

  #reopen(o: Extract<Operation, { op: "reopen" }>): string {
    const fd = this.#fd(o.from);
    if (fd < 0) return "nothing";
    const stat = this.kernel.fstat(fd);
    // A pipe without its other end would block in open.
    if (typeof stat !== "number" && (stat.mode & abi.S_IFMT) === abi.S_IFIFO) return "pipe";
    return this.#keep(o.to, this.kernel.open(`/proc/self/fd/${fd}`, o.flags | abi.O_CLOEXEC));
  }

  /** An fd in flight in a socket keeps its file, or its session, alive. */
  #post(o: Extract<Operation, { op: "send" | "receive" }>): string {
    const [near, far] = this.#mail;
    if (o.op === "send") {
      if (this.#inFlight >= 4) return "full";
      const answer = this.kernel.sendmsg(near, new Uint8Array([1]), [this.#fd(o.slot)]);
      if (answer >= 0) this.#inFlight++;
      return result(answer);
    }
    if (this.#inFlight === 0) return "empty";
    this.#inFlight--;
    const got = this.kernel.recvmsg(far, new Uint8Array(1), 1);
    if (typeof got === "number") return errnoName(got);
    return got.fds[0] === undefined ? "no fd" : this.#keep(o.slot, got.fds[0]);
  }

  #contents(o: SlotOperation): string {
    const k = this.kernel;
    switch (o.op) {
      case "write":
        return result(k.write(this.#fd(o.slot), new Uint8Array(o.length).fill(o.fill)));
      case "append": {
        const flags = k.fcntl(this.#fd(o.slot), abi.F_GETFL);
        k.fcntl(this.#fd(o.slot), abi.F_SETFL, flags | abi.O_APPEND);
        const answer = result(k.write(this.#fd(o.slot), new Uint8Array(o.length).fill(o.fill)));
        return `${answer} ${result(k.fcntl(this.#fd(o.slot), abi.F_SETFL, flags))}`;
      }
      case "pwrite":
        return result(k.pwrite(this.#fd(o.slot), new Uint8Array(o.length).fill(o.fill), o.offset));
      case "read": {
        const into = new Uint8Array(o.length);
        const answer = k.read(this.#fd(o.slot), into);
        return answer < 0 ? errnoName(answer) : `${answer} ${sum(into.subarray(0, answer))}`;
      }
      case "pread": {
        const into = new Uint8Array(o.length);
        const answer = k.pread(this.#fd(o.slot), into, o.offset);
        return answer < 0 ? errnoName(answer) : `${answer} ${sum(into.subarray(0, answer))}`;
      }
      case "lseek":
        return result(Number(k.lseek(this.#fd(o.slot), o.offset, o.whence)));
      case "ftruncate":
        return result(k.ftruncate(this.#fd(o.slot), o.length));
      case "fallocate":
        return result(k.fallocate(this.#fd(o.slot), o.mode, o.offset, o.length));
      case "map":
        return this.#map(o);
      case "fchmod":
        return this.#isRegular(this.#fd(o.slot)) ? result(k.fchmod(this.#fd(o.slot), o.mode)) : "not regular";
      case "add_seals":
        return result(k.fcntl(this.#fd(o.slot), abi.F_ADD_SEALS, o.seals));
      case "set_flags":
        return result(k.fcntl(this.#fd(o.slot), abi.F_SETFL, o.flags | this.#unblocked(this.#fd(o.slot))));
      case "poll":
        return result(k.poll(this.#fd(o.slot), abi.POLLIN | abi.POLLOUT));
      case "look":
        return this.#look(this.#fd(o.slot));
      default:
        throw new Error(`Unknown operation ${o.op}`);
    }
  }

  /** One page, mapped shared, written through the mapping, perhaps cut out of the file; never past the end (SIGBUS). */
  #map(o: Extract<Operation, { op: "map" }>): string {
    const k = this.kernel;
    const fd = this.#fd(o.slot);
    const stat = k.fstat(fd);
    if (typeof stat === "number") return errnoName(stat);
    const at = BigInt(o.page * PAGE);
    if ((stat.mode & abi.S_IFMT) !== abi.S_IFREG) return "not regular";
    if (at >= stat.size) return "past the end";
    const address = k.mmap(BigInt(PAGE), abi.PROT_READ | abi.PROT_WRITE, abi.MAP_SHARED, fd, at);
    if (address < 0n) return errnoName(Number(address));
    k.store(address, new Uint8Array(8).fill(o.fill));
    const removed = o.remove ? result(k.madvise(address, BigInt(PAGE), abi.MADV_REMOVE)) : "kept";
    return `${removed} ${result(k.munmap(address, BigInt(PAGE)))}`;
  }

  /** What would wait never does, here as on the model. */
  #unblocked(fd: number): number {
    return this.#isRegular(fd) ? 0 : abi.O_NONBLOCK;
  }

  #isRegular(fd: number): boolean {
    const stat = this.kernel.fstat(fd);
    return typeof stat !== "number" && (stat.mode & abi.S_IFMT) === abi.S_IFREG;
  }

  #look(fd: number): string {
    const k = this.kernel;
    const stat = k.fstat(fd);
    if (typeof stat === "number") return errnoName(stat);
    const regular = (stat.mode & abi.S_IFMT) === abi.S_IFREG;
    const file = regular ? ` size=${stat.size} blocks=${stat.blocks} nlink=${stat.nlink}` : "";
    const seals = result(k.fcntl(fd, abi.F_GET_SEALS));
    const position = regular ? ` position=${k.lseek(fd, 0n, abi.SEEK_CUR)}` : "";
    const flags = k.fcntl(fd, abi.F_GETFL);
    return `mode=${stat.mode.toString(8)}${file}${position} seals=${seals} flags=${
      flags.toString(8)
    } fdflags=${k.fcntl(fd, abi.F_GETFD)}`;
  }
}

/** FNV-1a over every byte: cheap, and enough to tell contents apart. */
function sum(bytes: Uint8Array): string {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString(16);
}
