/** Memory for the structs of the ioctls of a device and of its sessions. */
import { encodeSession, FD_STRUCT_SIZE, FINISH_STRUCT_SIZE, SESSION_STRUCT_SIZE } from "./liveupdate.ts";

/**
 * One struct at a time: each call overwrites the struct of the call before. To allocate memory that C can see takes a microsecond,
 * which is ten times as long as the rest of a call.
 */
export class IoctlMemory {
  readonly #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(SESSION_STRUCT_SIZE);
  readonly #fd: Uint8Array<ArrayBuffer> = this.#bytes.subarray(0, FD_STRUCT_SIZE);
  readonly #finish: Uint8Array<ArrayBuffer> = this.#bytes.subarray(0, FINISH_STRUCT_SIZE);
  /** The size and the fd of every struct. Both architectures are little endian, as the structs are. */
  readonly #fields: Int32Array = new Int32Array(this.#bytes.buffer, 0, 2);
  readonly #token: BigUint64Array = new BigUint64Array(this.#bytes.buffer, 8, 1);

  /** As `encodeSession`. */
  encodeSession(name: string): Uint8Array {
    return encodeSession(name, this.#bytes);
  }

  /** As `encodeFd`. */
  encodeFd(token: bigint, fd = -1): Uint8Array {
    this.#fields[0] = FD_STRUCT_SIZE;
    this.#fields[1] = fd;
    this.#token[0] = token;
    return this.#fd;
  }

  /** As `encodeFinish`. */
  encodeFinish(): Uint8Array {
    this.#fields[0] = FINISH_STRUCT_SIZE;
    this.#fields[1] = 0;
    return this.#finish;
  }

  /** As `decodeFd`: the fd that the kernel wrote into the struct of the last call. */
  decodeFd(): number {
    return this.#fields[1] ?? -1;
  }
}
