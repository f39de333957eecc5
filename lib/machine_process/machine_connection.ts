/** A client's connection to the machine: sends a system call, waits for its answer. */
import { Errno, errnoName } from "../../ffi/abi/errno.ts";
import { POLLIN } from "../../ffi/abi/fcntl.ts";
import { poll } from "../../ffi/epoll.ts";
import { close } from "../../ffi/file.ts";
import { ProcessKilled, type Ret } from "../system_calls.ts";
import { HELLO, int, type Json, parse, toReply } from "./json_values.ts";
import { GOODBYE, type Packet, PacketReceiver, sendPacket } from "./packets.ts";

/** How long a goodbye waits for a machine that does not react. */
const GOODBYE_MS = 10_000;

/** The machine's answer to one call. */
export interface Answer {
  readonly ret: Json | undefined;
  /** The bytes that the call wrote into the caller's memory. */
  readonly out: Uint8Array;
  /** Host fds, which the caller must close. */
  readonly fds: readonly number[];
}

/** One connection, and so one process of the machine. After its end every call throws `ProcessKilled`. */
export class MachineConnection {
  /** -1 after the end of the connection. */
  #socket: number;
  readonly #packets = new PacketReceiver();

  /** Owns `socket` from now on. */
  constructor(socket: number) {
    this.#socket = socket;
  }

  /** The pid of the new process. -ETIMEDOUT: the machine has not answered in time, and the connection is closed. */
  hello(limit_ms: number): Ret {
    const sent = sendPacket(this.#socket, JSON.stringify({ call: "hello", args: [HELLO] }));
    if (sent >= 0 && poll(this.#socket, POLLIN, limit_ms) === 0) {
      this.#hangUp();
      return -Errno.ETIMEDOUT;
    }
    return int(this.#answer("hello", sent).ret);
  }

  /** Makes one system call, with host fds that the caller still owns. */
  call(call: string, args: readonly Json[], fds: readonly number[] = []): Answer {
    if (this.#socket < 0) throw new ProcessKilled("The machine ended this process");
    const sent = sendPacket(this.#socket, JSON.stringify({ call, args }), fds);
    // One of `fds` is closed. Nothing was sent.
    if (sent === -Errno.EBADF) return { ret: sent, out: new Uint8Array(0), fds: [] };
    return this.#answer(call, sent);
  }

  /** Ends the process. The machine has closed its fds when this returns. */
  goodbye(): void {
    if (this.#socket < 0) return;
    const sent = sendPacket(this.#socket, GOODBYE);
    // The machine answers by hanging up.
    if (sent >= 0) poll(this.#socket, POLLIN, GOODBYE_MS);
    this.#hangUp();
  }

  /** The answer to a call. `sent`: the answer of sendPacket. */
  #answer(call: string, sent: Ret): Answer {
    const packet = sent < 0 ? sent : this.#receive();
    if (packet === undefined || packet === -Errno.EPIPE || packet === -Errno.ECONNRESET) {
      this.#hangUp();
      throw new ProcessKilled("The machine ended this process");
    }
    // The host has run out of fds or memory. Whether the machine made the call is unknown, so end the connection.
    if (typeof packet === "number") {
      this.#hangUp();
      throw new Error(`Cannot ask the machine for ${call} (${errnoName(packet)})`);
    }
    return { ...toReply(parse(packet.text)), fds: packet.fds };
  }

  #receive(): Packet | Ret | undefined {
    for (;;) {
      const packet = this.#packets.receive(this.#socket);
      if (packet !== -Errno.EINTR) return packet;
    }
  }

  #hangUp(): void {
    close(this.#socket);
    this.#socket = -1;
  }
}
