/** The blackout: how long luo itself works between the last answer of a participant and the reboot call. */
import { F_ADD_SEALS, F_SEAL_SHRINK, MFD_ALLOW_SEALING, MFD_CLOEXEC, MFD_EXEC } from "../../ffi/abi/fcntl.ts";
import { boottime_us } from "../../ffi/clock.ts";
import { preserveFile } from "../../lib/agent/file_methods.ts";
import { createSession } from "../../lib/agent/session_methods.ts";
import { type Agent, NEVER, UpdateMachine } from "../agent/update/host_on_model.ts";
import { type Row, Samples, type Section } from "./report.ts";

const [MANY, RUNS, LIMIT_MS] = [1000, 15, 5];
const [SMALL, LARGE] = [4096, 64 << 20];

export const update: Section = {
  name: "update",
  title: "A live update",
  about:
    `From the end of the last participant's freeze to the reboot call, with two participants, on a model in the same
    process. The record of the update is written in between.`,
  rows: async () => [
    await row(`blackout of luo, ${MANY} sessions`, MANY, SMALL),
    await row("blackout of luo, 64 MiB preserved", 1, LARGE),
  ],
};

async function row(what: string, sessions: number, bytes: number): Promise<Row> {
  const [none, some] = [[] as number[], [] as number[]];
  for (let run = 0; run < RUNS; run++) {
    none.push(await blackout_ms(0, 0));
    some.push(await blackout_ms(sessions, bytes));
  }
  const [base, found] = [new Samples(none), new Samples(some)];
  return {
    what,
    against: `no session: ${base.median.toFixed(1)} ms`,
    target: `at most ${LIMIT_MS} ms`,
    measured: found.text((ms) => `${ms.toFixed(1)} ms`),
    met: found.median <= LIMIT_MS,
    why: "the machine had other work to do: see the lowest value.",
  };
}

/** Milliseconds of one update. */
async function blackout_ms(sessions: number, bytes: number): Promise<number> {
  using machine = new UpdateMachine();
  machine.participant("first");
  machine.participant("last", ["first"]);
  using agent = machine.agent();
  for (let at = 0; at < sessions; at++) fill(agent, `s${at}`, bytes);
  let reboot = NaN;
  const exec = agent.host.exec.bind(agent.host);
  agent.host.exec = () => {
    reboot = boottime_us();
    return exec();
  };
  await agent.updates.run(machine.options(agent), NEVER).catch(() => {});
  const freeze = agent.updates.record?.events.findLast(({ event, participant }) =>
    event === "freeze" && participant !== undefined
  );
  return (reboot - (freeze?.ended?.boottime ?? NaN)) / 1000;
}

function fill({ state }: Agent, name: string, bytes: number): void {
  createSession(state, { name });
  const fd = state.sys.memfd_create("data", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
  state.sys.ftruncate(fd, BigInt(bytes));
  state.sys.fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK);
  preserveFile(state, { session: name, token: "1", fileFd: 0 }, [fd], { pid: 1, uid: 0, gid: 0 });
}
