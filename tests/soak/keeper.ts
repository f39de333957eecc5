/** The client whose data must be there after every kexec: it preserves them, and compares when the next kernel runs. */
import { MFD_ALLOW_SEALING, MFD_CLOEXEC } from "../../ffi/abi/fcntl.ts";
import { close, memfd_create, open, pread, pwrite } from "../../ffi/file.ts";
import type { Answer } from "../../lib/agent/client_answer.ts";
import type { MethodName, Methods } from "../../lib/agent/protocol.ts";
import { Random } from "../traffic/random.ts";
import type { AgentWorld } from "./agent_world.ts";
import { PATIENCE_MS } from "./round.ts";

const FILES = 3;
const KEY = "keep/value";

export class Keeper {
  /** Changes with every boot. */
  #generation: number;
  kexecs = 0;

  constructor(readonly world: AgentWorld, generation = 0) {
    this.#generation = generation;
  }

  get #value(): string {
    return `generation ${this.#generation}`;
  }

  /** Preserves everything for the next kexec. @throws Error */
  async keep(): Promise<void> {
    this.#generation++;
    await this.#call("CreateSession", { name: "keep" });
    for (let index = 0; index < FILES; index++) await this.#preserve("keep", index);
    await this.#call("PutValue", { key: KEY, base64: new TextEncoder().encode(this.#value).toBase64() });
  }

  /** A session that outlives every kexec; its files are those of generation 0. */
  async keepForEver(): Promise<void> {
    await this.#call("CreateSession", { name: "keep-on", keep: true });
    for (let index = 0; index < FILES; index++) await this.#preserve("keep-on", index, 0);
  }

  /** Executes the kexec. False: it was refused again and again. */
  async kexec(): Promise<boolean> {
    const before = await this.#bootId();
    for (let tries = 0; tries < 8; tries++) {
      await this.#call("StepUpdate", { step: "cancel" }).catch(() => {});
      const kernel = open(this.world.kernel, 0);
      try {
        await this.#call("LoadImage", {
          kernelFd: 0,
          kernel: "soak",
          commandLine: "liveupdate=on",
          force: true,
        }, [kernel]);
        await this.world.client.callUntilEnd("ExecImage", { force: true }, {
          signal: AbortSignal.timeout(PATIENCE_MS),
        });
      } catch (error) {
        if (error instanceof DOMException) throw new Error(`the kexec is not made in ${PATIENCE_MS} ms`);
      } finally {
        close(kernel);
      }
      await this.world.client.ready(AbortSignal.timeout(PATIENCE_MS));
      if (await this.#bootId() !== before) {
        this.kexecs++;
        return true;
      }
    }
    return false;
  }

  /** Compares everything with what was preserved, and ends the session. @throws Error it is another */
  async takeBack(): Promise<void> {
    await this.#call("RetrieveSession", { name: "keep" });
    for (let index = 0; index < FILES; index++) await this.#compare("keep", index, this.#generation);
    await this.#call("FinishSession", { name: "keep" });
    await this.checkValue();
    await this.checkKept();
  }

  async checkKept(): Promise<void> {
    for (let index = 0; index < FILES; index++) await this.#compare("keep-on", index, 0);
  }

  async checkValue(): Promise<void> {
    using answer = await this.#call("GetValue", { key: KEY });
    const found = new TextDecoder().decode(Uint8Array.fromBase64(answer.reply.base64));
    if (found !== this.#value) throw new Error(`the value is "${found}" and was "${this.#value}"`);
  }

  /** The agent was killed: what it held is lost, and must be told. */
  async isTold(session: string): Promise<boolean> {
    using answer = await this.#call("GetStatus", {});
    return answer.reply.status.losses.some((loss) => loss.session === session);
  }

  async #preserve(session: string, index: number, generation = this.#generation): Promise<void> {
    const fd = memfd_create("keep", MFD_CLOEXEC | MFD_ALLOW_SEALING | 16 /* MFD_EXEC */);
    try {
      pwrite(fd, content(session, index, generation), 0n);
      await this.#call("PreserveFile", { session, token: `${index}`, fileFd: 0 }, [fd]);
    } finally {
      close(fd);
    }
  }

  async #compare(session: string, index: number, generation: number): Promise<void> {
    using answer = await this.#call("RestoreFile", { session, token: `${index}` });
    const wanted = content(session, index, generation);
    const found = new Uint8Array(wanted.length + 1);
    const got = pread(answer.fds.fileFd.number, found, 0n);
    if (got === wanted.length && found.subarray(0, got).every((byte, at) => byte === wanted[at])) return;
    throw new Error(`file ${index} of session "${session}" has other contents (${got} bytes)`);
  }

  async #bootId(): Promise<string> {
    using answer = await this.#call("GetStatus", {});
    return answer.reply.status.kernel.bootId;
  }

  async #call<M extends MethodName>(
    method: M,
    parameters: Methods[M]["request"],
    fds: readonly number[] = [],
  ): Promise<Answer<M>> {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    for (;;) {
      try {
        return await this.world.client.call(method, parameters, { fds, signal });
      } catch (error) {
        // 64 clients are there, and the backlog is full.
        if (!(error instanceof Error) || !/Busy/.test(error.message)) throw error;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }
}

function content(session: string, index: number, generation: number): Uint8Array {
  return new Random(session.length * 7919 + index * 104_729 + generation).bytes(5000 + index * 4000);
}
