/** One agent on the model, in a directory of its own, and what it and its machine have open. */
import assert from "node:assert/strict";
import { standInBzImage } from "../../lib/kexec/bzimage.ts";
import { AsyncAgentClient } from "../../lib/agent/async_client.ts";
import { openFds } from "../agent/open_fds.ts";
import { marked } from "../emulate/run.ts";
import { luoCommand } from "../luo_under_test.ts";
import { mistakesIn, PATIENCE_MS, type Round } from "./round.ts";

/** The agent and the machine keep so many fds more than at their start, at most: Deno opens some of its own. */
const FDS_MORE = 12;
const RESIDENT_MAX_KB = 700_000;

export class AgentWorld {
  readonly socket: string;
  readonly luod: string;
  readonly kernel: string;
  readonly client: AsyncAgentClient;
  readonly defects: string[] = [];
  readonly #env: Record<string, string>;
  readonly #mark = `LUO_TEST_MARK=${crypto.randomUUID()}`;
  #atStart = new Map<number, number>();

  /** @param inside the path of the next kernel: the agent is in a machine of `luo emulate`, and has Linux's backend */
  constructor(readonly round: Round, inside?: string) {
    const { directory, faults } = round;
    this.socket = `${directory}/s`;
    this.luod = `${directory}/luod.sock`;
    this.kernel = inside ?? `${directory}/kernel`;
    this.client = new AsyncAgentClient(this.socket);
    if (inside === undefined) Deno.writeFileSync(this.kernel, standInBzImage({ release: "7.3.4-soak" }));
    const participants = `${directory}/participants.d`;
    Deno.mkdirSync(participants, { recursive: true });
    for (const name of ["p1", "p2"]) writeParticipant(participants, name);
    const [mark = "", value = ""] = this.#mark.split("=");
    this.#env = {
      LUO_BACKEND: inside === undefined ? "model" : "linux",
      LUO_SOCKET: this.socket,
      LUO_LUOD_SOCKET: this.luod,
      LUO_PARTICIPANTS: participants,
      ...faults === undefined ? {} : { LUO_FAULTS: faults },
      [mark]: value,
    };
  }

  /** A luo command that is not started yet. */
  command(args: readonly string[], options: Deno.CommandOptions = {}): Deno.Command {
    return luoCommand(args, { cwd: this.round.directory, env: this.#env, stdin: "null", ...options });
  }

  /** Starts the agent, which starts the machine. False: faults do not let it start. */
  async start(): Promise<boolean> {
    const { code, stderr } = await this.command(["agent", "start"], { stdout: "null", stderr: "piped" })
      .output();
    if (code !== 0 && this.round.faults === undefined) {
      this.defects.push(`agent start: ${code} ${new TextDecoder().decode(stderr)}`);
    }
    return code === 0;
  }

  /** From now on nothing more may be open after the clients are gone. */
  remember(): void {
    this.#atStart = new Map(this.#processes().map((pid) => [pid, openFds(pid)]));
  }

  /** The agent is killed; any command starts the next one. */
  async killAgent(): Promise<void> {
    const { reply: { pid } } = await this.client.call("Identify", {}, {
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    assert.ok(this.#processes().includes(pid));
    Deno.kill(pid, "SIGKILL");
    this.#atStart.delete(pid);
  }

  /** No client is there any more, and no session: the same fds must be open as at the start. */
  async checkFds(): Promise<void> {
    for (const [pid, before] of this.#atStart) {
      let now = before;
      for (let tries = 0; tries < 100; tries++) {
        try {
          now = openFds(pid);
        } catch {
          now = 0; // It has ended.
        }
        if (now <= before + FDS_MORE) break;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      if (now > before + FDS_MORE) this.defects.push(`process ${pid} has ${now} fds; ${before} at the start`);
      const [, resident] = /VmRSS:\s+(\d+)/.exec(read(`/proc/${pid}/status`)) ?? [];
      if (Number(resident) > RESIDENT_MAX_KB) this.defects.push(`process ${pid} uses ${resident} KiB`);
    }
  }

  async stop(): Promise<void> {
    for (const what of ["agent", "machine"]) {
      await this.command([what, "stop", "--force"], { stdout: "null", stderr: "null" }).output();
    }
    for (let tries = 0; tries < 200 && marked(this.#mark).length > 0; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    for (const pid of marked(this.#mark)) {
      this.defects.push(`process ${pid} is left: ${read(`/proc/${pid}/cmdline`).replaceAll("\0", " ")}`);
      Deno.kill(pid, "SIGKILL");
    }
    this.checkLogs();
  }

  checkLogs(): void {
    for (const { name } of Deno.readDirSync(this.round.directory)) {
      if (name.endsWith(".log")) this.defects.push(...mistakesIn(read(`${this.round.directory}/${name}`)));
    }
  }

  #processes(): number[] {
    return marked(this.#mark).filter((pid) =>
      / (agent|machine)\0|(agent|machine)\0run/.test(read(`/proc/${pid}/cmdline`))
    );
  }
}

/** Each participant does its part, fails, says too much, is late or dies, by chance. */
function writeParticipant(directory: string, name: string): void {
  const script = `#!/bin/sh
case $(od -An -N1 -tu1 /dev/urandom | tr -d ' ') in
?) exit 1 ;;
1?) kill -9 $$ ;;
2?) head -c 100000 /dev/zero | tr '\\0' x ;;
3?) sleep 3 ;;
4?) cat >/dev/null; sleep 2 & ;;
*) test "$LUO_EVENT" != prepare || echo data | luo file preserve "$LUO_SESSION" --stdin --token 1 >/dev/null 2>&1 ;;
esac
`;
  Deno.writeTextFileSync(`${directory}/${name}`, script, { mode: 0o700 });
  const seconds = { prepare: 4, freeze: 2, cancel: 2, updated: 2, finish: 2 };
  Deno.writeTextFileSync(`${directory}/${name}.json`, JSON.stringify({ seconds }));
}

function read(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}
