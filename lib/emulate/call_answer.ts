import type { Ret } from "../system_calls.ts";

/** What becomes of a call: its answer, undefined for what the host's kernel is to do. */
export type CallAnswer = Ret | undefined;

/** An argument that is an int. */
export const int = (value: bigint) => Number(BigInt.asIntN(32, value));
/** One that is an off_t. */
export const long = (value: bigint) => BigInt.asIntN(64, value);
