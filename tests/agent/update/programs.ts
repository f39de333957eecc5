/** Programs that take part through a socket of the agent: a Varlink subscriber, and a client of luo-agent. Each fails once if it is told to. */
import { MFD_CLOEXEC, MFD_EXEC } from "../../../ffi/abi/fcntl.ts";
import {
  encodeFd,
  encodeFinish,
  LIVEUPDATE_SESSION_FINISH,
  LIVEUPDATE_SESSION_PRESERVE_FD,
} from "../../../ffi/abi/liveupdate.ts";
import type { Methods } from "../../../lib/agent/protocol.ts";
import { Lines } from "./lines.ts";
import type { SocketMachine } from "./socket_machine.ts";

/** What a program does at an event in place of its part. */
export type Act = (machine: SocketMachine, lines: Lines, update: string) => Promise<unknown>;

/** At which event it fails, and how. */
export interface Failing {
  readonly event: string;
  readonly act: Act;
}

type AnswerRequest = Methods["AnswerEvent"]["request"];

/** Answers an event, as participant v unless it says otherwise. @throws AgentError */
export async function answer(
  { client }: SocketMachine,
  request: Partial<AnswerRequest> & Pick<AnswerRequest, "update" | "event">,
): Promise<void> {
  (await client.call("AnswerEvent", { participant: "v", answer: "ready", ...request }))[Symbol.dispose]();
}

/** A subscriber v, which takes part until its connection ends. */
export async function subscriber(
  machine: SocketMachine,
  request: object = {},
  failing?: Failing,
): Promise<Lines> {
  const lines = await Lines.connect(machine.socket, "\0");
  const parameters = { name: "v", ...request };
  await lines.say({ method: "io.luo.Agent.Participate", parameters, more: true });
  const said = await lines.hear();
  if (said === undefined || "error" in said) throw new Error(`it may not take part: ${JSON.stringify(said)}`);
  void listen(machine, lines, failing);
  return lines;
}

async function listen(machine: SocketMachine, lines: Lines, failing: Failing | undefined): Promise<void> {
  for (let said = await lines.hear(); said !== undefined; said = await lines.hear()) {
    const { parameters } = said as { parameters?: Methods["Participate"]["reply"] };
    if (parameters?.event === undefined) continue;
    const { update, event } = parameters.event;
    machine.tell(`v ${event}`);
    if (event === failing?.event) await failing.act(machine, lines, update);
    else await answer(machine, { update, event }).catch(() => {});
  }
}

/** A client v of luo-agent, which preserves a file when it is asked to. It is told that its connection ended as "v gone". */
export async function luodClient(machine: SocketMachine, act?: Act): Promise<Lines> {
  const lines = await Lines.connect(machine.luodSocket, "\n");
  await lines.say({ cmd: "SUBSCRIBE", id: "v" });
  const listens = async () => {
    for (let said = await lines.hear(); said !== undefined; said = await lines.hear()) {
      if (said.event !== "START_PRESERVATION") continue;
      machine.tell("v freeze");
      preserve(machine);
      if (act === undefined) await lines.say({ cmd: "READY" });
      else await act(machine, lines, "");
    }
    machine.tell("v gone");
  };
  void listens();
  return lines;
}

/** The client's ioctl, made on the session whose descriptor was sent to it. */
function preserve({ sent }: SocketMachine): void {
  const { sys, fd } = sent.at(-1) ?? missing();
  const memory = sys.memfd_create("client", MFD_CLOEXEC | MFD_EXEC);
  sys.ioctl(fd, LIVEUPDATE_SESSION_PRESERVE_FD, encodeFd(5n, memory));
}

export function finishAsClient({ sent }: SocketMachine): void {
  const { sys, fd } = sent.at(-1) ?? missing();
  sys.ioctl(fd, LIVEUPDATE_SESSION_FINISH, encodeFinish());
}

function missing(): never {
  throw new Error("no session was sent");
}

/** Connects in the next kernel and claims the session, until it is given. */
export async function claim(machine: SocketMachine): Promise<Lines> {
  const lines = await Lines.connect(machine.luodSocket, "\n");
  for (;;) {
    await lines.say({ cmd: "CLAIM", id: "v" });
    const said = await lines.hear();
    if (said?.event === "SESSION") return lines;
    if (said === undefined) throw new Error("the connection ended");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
