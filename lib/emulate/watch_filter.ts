/** Builds the BPF filter by which the guard watches the calls of a process on some fd numbers. */
import { assemble, type Instruction } from "../../ffi/abi/bpf.ts";
import {
  DATA_ARCH,
  DATA_NR,
  dataArgument,
  SECCOMP_RET_ALLOW,
  SECCOMP_RET_TRACE,
} from "../../ffi/abi/seccomp.ts";
import { ARCHITECTURE, type Call, watchedCalls } from "./trapped_calls.ts";

/** The guard puts the first and the last number in the place of these values (watch.c). */
const [FIRST, LAST] = [0xf1f1_f1f1, 0xf2f2_f2f2];
/** The guard gets this value with the stop of a call that has no fd among its arguments (watch.c). */
const [ALWAYS, ALWAYS_DATA] = ["always", 1];
/** The calls that programs make most often. Each place in the list costs every call before it something. */
const FREQUENT: readonly Call[] = [
  "write",
  "read",
  "fcntl",
  "newfstatat",
  "fstat",
  "lseek",
  "pread64",
  "pwrite64",
];

/** A struct sock_filter[]. Every other call is allowed by its number, so that the kernel remembers it. */
export function watchFilter(strict: boolean, architecture = ARCHITECTURE): Uint8Array<ArrayBuffer> {
  const rank = (name: Call) => FREQUENT.includes(name) ? FREQUENT.indexOf(name) : FREQUENT.length;
  const calls = watchedCalls(strict, architecture).toSorted(([one], [other]) => rank(one) - rank(other));
  const places = [...new Set(calls.map(([, { watched }]) => placeOf(watched)))];
  const program: Instruction[] = [
    { op: "load", offset: DATA_ARCH },
    { op: "jump_if_equal", value: architecture.audit, otherwise: "allow" },
    { op: "load", offset: DATA_NR },
    ...calls.map(([, { nr, watched }]): Instruction => ({
      op: "jump_if_equal",
      value: nr,
      to: placeOf(watched),
    })),
    { op: "mark", name: "allow" },
    { op: "return", value: SECCOMP_RET_ALLOW },
  ];
  for (const place of places.filter((place) => place !== ALWAYS)) {
    program.push({ op: "mark", name: place });
    for (const argument of place.split(",")) {
      const next = `${place} after ${argument}`;
      program.push(
        { op: "load", offset: dataArgument(Number(argument)) },
        { op: "jump_if_at_least", value: FIRST, otherwise: next },
        { op: "jump_if_greater", value: LAST, otherwise: "stop" },
        { op: "mark", name: next },
      );
    }
    program.push({ op: "return", value: SECCOMP_RET_ALLOW });
  }
  program.push({ op: "mark", name: "stop" }, { op: "return", value: SECCOMP_RET_TRACE });
  program.push({ op: "mark", name: ALWAYS }, { op: "return", value: SECCOMP_RET_TRACE | ALWAYS_DATA });
  return assemble(program);
}

function placeOf(watched: readonly number[] | undefined): string {
  return watched === undefined || watched.length === 0 ? ALWAYS : watched.join(",");
}
