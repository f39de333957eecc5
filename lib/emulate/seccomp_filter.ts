/** Builds the BPF filter that every process of the machine runs under. */
import { assemble, type Instruction } from "../../ffi/abi/bpf.ts";
import {
  DATA_ARCH,
  DATA_NR,
  dataArgument,
  SECCOMP_RET_ALLOW,
  SECCOMP_RET_USER_NOTIF,
} from "../../ffi/abi/seccomp.ts";
import { ARCHITECTURE, traps } from "./trapped_calls.ts";

/** A struct sock_filter[]. Calls of another architecture are allowed without a look at them. */
export function filter(strict: boolean, architecture = ARCHITECTURE): Uint8Array<ArrayBuffer> {
  const all = traps(strict, architecture);
  const whole = all.filter(([, trap]) => trap.when === undefined);
  const partly = all.filter(([, trap]) => trap.when !== undefined);
  const program: Instruction[] = [
    { op: "load", offset: DATA_ARCH },
    { op: "jump_if_equal", value: architecture.audit, otherwise: "allow" },
    { op: "load", offset: DATA_NR },
    // First the calls whose arguments decide: for all others the kernel remembers the answer by number (Linux 5.11).
    ...partly.map(([name, { nr }]): Instruction => ({ op: "jump_if_equal", value: nr, to: name })),
    ...whole.map(([, { nr }]): Instruction => ({ op: "jump_if_equal", value: nr, to: "serve" })),
    { op: "mark", name: "allow" },
    { op: "return", value: SECCOMP_RET_ALLOW },
  ];
  for (const [name, { when }] of partly) {
    if (when === undefined) continue;
    program.push({ op: "mark", name }, { op: "load", offset: dataArgument(when.argument) });
    if (when.mask !== undefined) program.push({ op: "and", mask: when.mask });
    program.push({ op: "jump_if_equal", value: when.is, to: "serve" });
    program.push({ op: "return", value: SECCOMP_RET_ALLOW });
  }
  program.push({ op: "mark", name: "serve" }, { op: "return", value: SECCOMP_RET_USER_NOTIF });
  return assemble(program);
}
