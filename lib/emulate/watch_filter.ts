/** Builds the BPF filter by which the guard watches the calls of a process on some fd numbers. */
import { assemble, type Instruction } from "../../ffi/abi/bpf.ts";
import {
  DATA_ARCH,
  DATA_NR,
  dataArgument,
  SECCOMP_RET_ALLOW,
  SECCOMP_RET_TRACE,
} from "../../ffi/abi/seccomp.ts";
import { openIs } from "./open_filter.ts";
import { ARCHITECTURE, byFrequency, readingOpens, watchedCalls } from "./trapped_calls.ts";

/** The guard puts the first and the last number in the place of these values (watch.c). */
const [FIRST, LAST] = [0xf1f1_f1f1, 0xf2f2_f2f2];
/** The guard gets a value with the stop of a call: a bit for each argument that is an fd, or this for a call without (watch.c). */
const [FIRST_ARGUMENT, ALWAYS_DATA] = [1, 1];
/** The value for an open that only reads. */
const OPENS_DATA = 0x8000;
/**
 * A struct sock_filter[]. Every other call is allowed by its number, so that the kernel remembers it. With `mark` the calls are opens
 * as well that the filter of every process lets pass.
 */
export function watchFilter(
  strict: boolean,
  architecture = ARCHITECTURE,
  mark?: bigint,
): Uint8Array<ArrayBuffer> {
  const calls = watchedCalls(strict, architecture).toSorted(([one], [other]) => byFrequency(one, other));
  const places = new Map(calls.map(([, { watched = [] }]) => [placeOf(watched), watched]));
  const opens = mark === undefined ? [] : readingOpens(architecture);
  const program: Instruction[] = [
    { op: "load", offset: DATA_ARCH },
    { op: "jump_if_equal", value: architecture.audit, otherwise: "allow" },
    { op: "load", offset: DATA_NR },
    ...calls.map(([, { nr, watched = [] }]): Instruction => ({
      op: "jump_if_equal",
      value: nr,
      to: placeOf(watched),
    })),
    ...opens.map(({ nr }): Instruction => ({ op: "jump_if_equal", value: nr, to: `open ${nr}` })),
    { op: "mark", name: "allow" },
    { op: "return", value: SECCOMP_RET_ALLOW },
    ...[...places].flatMap(([place, watched]): Instruction[] => [
      { op: "mark", name: place },
      ...(watched.length === 0 ? [{ op: "return", value: SECCOMP_RET_TRACE | ALWAYS_DATA } as const] : [
        ...watched.flatMap((argument) => lookAt(argument, place)),
        { op: "return", value: SECCOMP_RET_ALLOW } as const,
        { op: "mark", name: `stop ${place}` } as const,
        { op: "return", value: SECCOMP_RET_TRACE | dataOf(watched) } as const,
      ]),
    ]),
  ];
  for (const { nr, opens: argument } of opens) {
    const name = `open ${nr}`;
    program.push(
      { op: "mark", name },
      ...openIs({ opens: argument, mark: mark ?? 0n, name, marked: "pass", otherwise: "pass" }),
      { op: "return", value: SECCOMP_RET_TRACE | OPENS_DATA },
    );
  }
  program.push({ op: "mark", name: "pass" }, { op: "return", value: SECCOMP_RET_ALLOW });
  return assemble(program);
}

/** The call is stopped when the argument is one of the numbers. */
function lookAt(argument: number, place: string): Instruction[] {
  const next = `${place} after ${argument}`;
  return [
    { op: "load", offset: dataArgument(argument) },
    { op: "jump_if_at_least", value: FIRST, otherwise: next },
    { op: "jump_if_greater", value: LAST, otherwise: `stop ${place}` },
    { op: "mark", name: next },
  ];
}

function placeOf(watched: readonly number[]): string {
  return `arguments ${watched.join(",")}`;
}

function dataOf(watched: readonly number[]): number {
  return watched.reduce((data, argument) => data | 1 << (argument + FIRST_ARGUMENT), 0);
}
