/** The checks that a request must pass before the agent acts on it, and the errors that answer it otherwise. */
import { type ErrorName, type Errors, INTERFACE, type MethodName, type Methods } from "./protocol.ts";
import { LuoError } from "../error.ts";
import { wrongField } from "../schema/check.ts";
import { METHODS } from "../schema/methods.ts";
import { invalidParameter, type Json, VarlinkError } from "./varlink.ts";

/** An error of io.luo.Agent, to be thrown. */
export function agentError<N extends ErrorName>(name: N, parameters: Errors[N]): VarlinkError {
  return new VarlinkError(`${INTERFACE}.${name}`, { ...parameters });
}

/** A failed system call as an error of the protocol. Other errors come back as they are. */
export function kernelError(error: unknown): unknown {
  if (!(error instanceof LuoError)) return error;
  const { operation, subject, code: errno, summary: message } = error;
  return agentError("KernelError", { operation, subject, errno, message });
}

/** Whether the agent has a method of that name. */
export function isMethod(name: string): name is MethodName {
  return Object.hasOwn(METHODS, name);
}

/**
 * The request of a method, with every parameter there and of its type, and nothing else.
 *
 * @throws VarlinkError org.varlink.service.InvalidParameter
 */
export function checkRequest<M extends MethodName>(method: M, parameters: Json): Methods[M]["request"] {
  const { request: fields = {} } = METHODS[method] ?? {};
  const request: Json = {};
  for (const [name, value] of Object.entries(parameters)) {
    // A lone surrogate would reach the kernel as U+FFFD, and with that another name than the one that was sent.
    const carried = typeof value !== "string" || value.isWellFormed();
    if (!Object.hasOwn(fields, name) || !carried) throw invalidParameter(name);
    // Varlink: null stands for an optional parameter that is left out.
    if (value !== null) request[name] = value;
  }
  const wrong = wrongField(fields, request);
  if (wrong !== undefined) throw invalidParameter(wrong);
  return request as Methods[M]["request"];
}

/** A u64 in decimal. @throws VarlinkError BadRequest */
export function tokenParameter(token: string): bigint {
  const value = /^\d{1,20}$/.test(token) ? BigInt(token) : -1n;
  if (value < 0n || value >= 1n << 64n) {
    throw agentError("BadRequest", {
      message: `a token is a decimal number from 0 to 2^64-1, not ${JSON.stringify(token)}`,
    });
  }
  return value;
}

/** Accepts `sha256:` and 64 hex digits, or nothing. @throws VarlinkError BadRequest */
export function checkDigest(digest: string | undefined): void {
  if (digest === undefined || /^sha256:[0-9a-f]{64}$/.test(digest)) return;
  throw agentError("BadRequest", { message: "a digest is sha256: and 64 hex digits in small letters" });
}

/** Takes one of the fds that came with a call out of its list. The caller closes it from now on. */
export function takeFd(fds: number[], index: number, parameter: string): number {
  const fd = fds[index];
  if (fd === undefined || fd < 0) throw invalidParameter(parameter);
  fds[index] = -1;
  return fd;
}
