/** The coordination of updates on a model in this process, with participants that are real executables. */
import assert from "node:assert/strict";
import type { AgentState } from "../../../lib/agent/agent_state.ts";
import { agentPaths } from "../../../lib/agent/agent_place.ts";
import { Coordinator } from "../../../lib/agent/update/coordinator.ts";
import type { UpdateOptions } from "../../../lib/agent/update/before_kexec.ts";
import { Subscribers } from "../../../lib/agent/update/subscribers.ts";
import { moment } from "../../../lib/agent/update/moment.ts";
import { AgentUpdateHost } from "../../../lib/agent/update_host.ts";
import { Fd } from "../../../lib/fd.ts";
import { loadImage } from "../../../lib/kexec/load.ts";
import { standInBzImage } from "../../../lib/kexec/bzimage.ts";
import { Machine } from "../../../lib/model/machine.ts";
import type { UpdateRecord } from "../../../lib/schema/types.ts";
import { ProcessKilled } from "../../../lib/system_calls.ts";
import { start } from "../state_on_model.ts";

/** The death of the agent: like the end of its kernel, nothing that comes after it happens. */
export class AgentKilled extends ProcessKilled {}

/** The host, which dies after it has written the record for the `dies`th time. */
class MortalHost extends AgentUpdateHost {
  dies = Infinity;
  saves = 0;

  override save(record: UpdateRecord, how?: "for the next kernel"): void {
    if (this.saves >= this.dies) throw new AgentKilled();
    super.save(record, how);
    if (++this.saves >= this.dies) throw new AgentKilled();
  }
}

/** One agent on the machine. */
export interface Agent extends Disposable {
  readonly state: AgentState;
  readonly host: MortalHost;
  readonly updates: Coordinator;
}

export const NEVER = new AbortController().signal;

/** A machine with participants. */
export class UpdateMachine implements Disposable {
  readonly directory = Deno.makeTempDirSync({ prefix: "luo-update-" });
  readonly machine = new Machine();
  readonly log: string[] = [];
  /** What each participant does at an event, as a shell script: by `NAME EVENT`. */
  readonly acts = new Map<string, string>();

  constructor() {
    Deno.mkdirSync(`${this.directory}/participants`);
  }

  participant(name: string, after: readonly string[] = [], seconds: Record<string, number> = {}): void {
    const path = `${this.directory}/participants/${name}`;
    const acts = `${this.directory}/acts`;
    Deno.writeTextFileSync(
      path,
      `#!/bin/sh\necho "${name} $1" >>"${this.directory}/seen"\n` +
        `act="${acts}/${name} $1"\n[ ! -e "$act" ] || . "$act"\n`,
      { mode: 0o755 },
    );
    Deno.writeTextFileSync(`${path}.json`, JSON.stringify({ after, seconds }));
  }

  act(name: string, event: string, script: string): void {
    Deno.mkdirSync(`${this.directory}/acts`, { recursive: true });
    Deno.writeTextFileSync(`${this.directory}/acts/${name} ${event}`, script);
  }

  /** What participants were called with since the last time. */
  seen(): string[] {
    const path = `${this.directory}/seen`;
    try {
      const text = Deno.readTextFileSync(path);
      Deno.removeSync(path);
      return text.trim().split("\n");
    } catch {
      return [];
    }
  }

  /** Waits until a participant has been called: `NAME EVENT`. */
  async called(line: string): Promise<void> {
    const text = () => Deno.readTextFile(`${this.directory}/seen`).catch(() => "");
    while (!(await text()).includes(`${line}\n`)) await new Promise((resolve) => setTimeout(resolve, 10));
  }

  word(): string {
    return Deno.readTextFileSync(`${this.directory}/s.update`).trim();
  }

  agent(): Agent {
    const state = start(this.machine, this.directory, this.log);
    const host = new MortalHost({
      state,
      backend: "model",
      directory: `${this.directory}/participants`,
      luo: undefined,
      paths: agentPaths(`${this.directory}/s`),
      started: moment("to"),
      subscribers: new Subscribers(() => {}),
      changed: () => {},
    });
    return {
      state,
      host,
      updates: new Coordinator(host),
      [Symbol.dispose]: () => state[Symbol.dispose](),
    };
  }

  /** An agent that goes on with what the one before left. */
  async nextAgent(): Promise<Agent> {
    const agent = this.agent();
    if (agent.state.update !== undefined) await agent.updates.resume(agent.state.update);
    return agent;
  }

  options(agent: Agent, options: Partial<UpdateOptions> = {}): UpdateOptions {
    const { sys } = agent.state;
    const load = () => {
      const kernel = Fd.of(sys, sys.memfd_create("image", 0), "memfd_create");
      sys.write(kernel.number, standInBzImage({ release: "next" }));
      loadImage(sys, { kernel, commandLine: "liveupdate=on" });
      kernel.close();
      return Promise.resolve();
    };
    // By force, because the agent does not know this image.
    return { load, digest: false, blackoutSeconds: 60, force: true, finishes: true, ...options };
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.directory, { recursive: true });
  }
}

/** Runs to the kexec. @throws AssertionError it did not come to that */
export async function throughKexec(work: Promise<void>): Promise<void> {
  await assert.rejects(work, (error) => error instanceof ProcessKilled && !(error instanceof AgentKilled));
}

export function sessions({ state }: Agent): string[] {
  return state.sessions().map(({ name, state }) => `${name} ${state}`);
}
