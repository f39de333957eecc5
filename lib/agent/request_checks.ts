import { type ErrorName, type Errors, INTERFACE, type MethodName, type Methods } from "./protocol.ts";
import { PARAMETERS, type ParameterType } from "./interface.ts";
import { LuoError } from "../error.ts";
import { invalidParameter, type Json, VarlinkError } from "./varlink.ts";

/** An error of io.luo.Agent, to be thrown. */
export function agentError<N extends ErrorName>(name: N, parameters: Errors[N]): VarlinkError {
  return new VarlinkError(`${INTERFACE}.${name}`, { ...parameters });
}

/** A failed system call as the protocol says it; anything else is passed on as it is. */
export function kernelError(error: unknown): unknown {
  if (!(error instanceof LuoError)) return error;
  const { operation, subject, code: errno, message } = error;
  return agentError("KernelError", { operation, subject, errno, message });
}

export function isMethod(name: string): name is MethodName {
  return Object.hasOwn(PARAMETERS, name);
}

/** The request of a method, with every parameter there and of its type. @throws VarlinkError org.varlink.service.InvalidParameter */
export function checkRequest<M extends MethodName>(method: M, parameters: Json): Methods[M]["request"] {
  const expected: Readonly<Record<string, ParameterType>> = PARAMETERS[method];
  for (const name of Object.keys(parameters)) {
    if (!Object.hasOwn(expected, name)) throw invalidParameter(name);
  }
  const request: Json = {};
  for (const [name, type] of Object.entries(expected)) {
    // Varlink: null stands for an optional parameter that is left out.
    const value = parameters[name] ?? undefined;
    if (value === undefined && type.startsWith("?")) continue;
    if (!fits(value, type.replace("?", ""))) throw invalidParameter(name);
    request[name] = value;
  }
  return request as Methods[M]["request"];
}

function fits(value: unknown, type: string): boolean {
  if (type === "int") return Number.isSafeInteger(value);
  if (type === "bool") return typeof value === "boolean";
  return typeof value === "string";
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

export function checkDigest(digest: string | undefined): void {
  if (digest === undefined || /^sha256:[0-9a-f]{64}$/.test(digest)) return;
  throw agentError("BadRequest", { message: "a digest is sha256: and 64 hex digits in small letters" });
}

/** Takes one of the fds that came with a call out of its list: from now on it is the taker's to close. */
export function takeFd(fds: number[], index: number, parameter: string): number {
  const fd = fds[index];
  if (fd === undefined || fd < 0) throw invalidParameter(parameter);
  fds[index] = -1;
  return fd;
}
