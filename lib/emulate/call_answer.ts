/** The answer to a trapped call, and how its register arguments are read as C types. */
import type { Notification } from "../../ffi/abi/seccomp.ts";
import type { Ret } from "../system_calls.ts";
import type { Call } from "./trapped_calls.ts";

/** The value that the call returns; undefined leaves the call to the host's kernel. */
export type CallAnswer = Ret | undefined;

export type Handler = (call: Notification) => CallAnswer;
export type Handlers<Names extends Call> = Readonly<Record<Names, Handler>>;

/** An argument of the C type int. */
export const int = (value: bigint) => Number(BigInt.asIntN(32, value));
/** An argument of the C type off_t. */
export const long = (value: bigint) => BigInt.asIntN(64, value);
