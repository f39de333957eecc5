/** The answer to a call: its parameters, and the file descriptors that came with it, by name. */
import { close } from "../../ffi/file.ts";
import { HostFd } from "../files/host_fd.ts";
import { AgentError, AgentProtocolError } from "./client_errors.ts";
import { type ErrorName, INTERFACE, type MethodName, type Methods } from "./protocol.ts";
import { decodeReply, type Json, type Message, ProtocolError } from "./varlink.ts";

/** The file descriptors of an answer by the name of the parameter that announces them: `fileFd` of `RestoreFile`. */
export type AnswerFds<M extends MethodName> = {
  readonly [K in Extract<keyof Methods[M]["reply"], `${string}Fd`>]: HostFd;
};

/** The answer of the method `M`. Disposing of it closes the file descriptors that were not released. */
export interface Answer<M extends MethodName> extends Disposable {
  /** The parameters of the answer. */
  readonly reply: Methods[M]["reply"];
  /** The file descriptors that came with it, by name. They are the caller's: dispose of the answer, or `release()` each. */
  readonly fds: AnswerFds<M>;
}

/** A message that is Varlink, not judged yet. */
export interface Reply {
  readonly parameters: Json;
  readonly error?: string | undefined;
  /** Whether more answers to the same call follow. */
  readonly continues: boolean;
  /** Open descriptors, in the order in which they were sent. */
  readonly fds: readonly number[];
}

/** Reads a message. @throws AgentProtocolError the bytes are no Varlink: what follows in the connection cannot be trusted */
export function readReply({ bytes, fds }: Message): Reply {
  try {
    const { parameters, continues = false, error } = decodeReply(bytes);
    return { parameters, continues, error, fds };
  } catch (error) {
    fds.forEach(close);
    if (error instanceof ProtocolError) {
      throw new AgentProtocolError(`The agent's answer is ${error.message}`);
    }
    throw error;
  }
}

/** The answer in a reply. @throws AgentError; AgentProtocolError an error of another interface, or a descriptor is missing */
export function answerOf<M extends MethodName>({ parameters, error, fds }: Reply): Answer<M> {
  if (error === undefined) return goodAnswer(parameters, fds);
  fds.forEach(close);
  if (!error.startsWith(`${INTERFACE}.`)) {
    throw new AgentProtocolError(`The agent answers ${error} ${JSON.stringify(parameters)}`);
  }
  // The agent is of the same program, so its errors have the parameters of `Errors`.
  throw new AgentError(error.slice(INTERFACE.length + 1) as ErrorName, parameters as never);
}

function goodAnswer<M extends MethodName>(parameters: Json, fds: readonly number[]): Answer<M> {
  const owned = fds.map((fd) => new HostFd(fd));
  const dispose = () => owned.forEach((fd) => fd[Symbol.dispose]());
  const named: Record<string, HostFd> = {};
  for (const name in parameters) {
    if (!name.endsWith("Fd")) continue;
    const index = parameters[name];
    const fd = typeof index === "number" ? owned[index] : undefined;
    if (fd === undefined) {
      dispose();
      throw new AgentProtocolError(
        `The agent's answer names a file descriptor that it did not send: ${name}`,
      );
    }
    named[name] = fd;
  }
  return {
    reply: parameters as Methods[M]["reply"],
    fds: named as AnswerFds<M>,
    [Symbol.dispose]: dispose,
  };
}
