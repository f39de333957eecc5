/**
 * The sessions and files of each fixture: guest.ts preserves them in the virtual machine, and the tests look for them
 * in the capture.
 */
import type { Architecture } from "../../../lib/kexec/file_kind.ts";
import { F_SEAL_GROW, F_SEAL_SHRINK } from "../../../ffi/abi/fcntl.ts";

export interface FileScenario {
  readonly token: bigint;
  /** Bytes. */
  readonly size: number;
  readonly position?: number;
  readonly seals?: number;
}

export interface SessionScenario {
  readonly name: string;
  readonly files: readonly FileScenario[];
}

export interface Scenario {
  readonly name: string;
  /** Sessions and files in the order of their preservation. */
  readonly sessions: readonly SessionScenario[];
  /** Name of the kernel image; default 7.3.4. */
  readonly kernel?: string;
  /** Default x86_64. */
  readonly architecture?: Architecture;
  /** A shell command that root runs first. */
  readonly prepare?: string;
}

const PAGE = 4096;
const many = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));

export const SCENARIOS: readonly Scenario[] = [
  { name: "nothing", sessions: [] },
  {
    name: "files",
    sessions: [
      {
        name: "vm0",
        files: [
          { token: 1n, size: 0 },
          { token: 0xffff_ffff_ffff_ffffn, size: 5, position: 3, seals: F_SEAL_GROW | F_SEAL_SHRINK },
          { token: 7n, size: 300 * PAGE, position: 300 * PAGE },
        ],
      },
      { name: "empty", files: [] },
      { name: "ünï\x01".padEnd(40, "x"), files: [{ token: 0n, size: 10 * PAGE }] },
    ],
  },
  {
    name: "blocks",
    sessions: many(120, (index) => ({
      name: `session ${index}`,
      files: many(index === 3 ? 130 : 0, (token) => ({ token: BigInt(token), size: 0 })),
    })),
  },
  {
    name: "7.2.12",
    kernel: "7.2.12-luo",
    sessions: [{ name: "vm", files: [{ token: 1n, size: 2 * PAGE }] }],
  },
  {
    name: "arm64",
    architecture: "aarch64",
    sessions: [{ name: "vm", files: [{ token: 1n, size: 3 * PAGE, position: 5 }, { token: 2n, size: 0 }] }],
  },
  {
    name: "huge",
    prepare: "echo always > /sys/kernel/mm/transparent_hugepage/shmem_enabled",
    sessions: [{ name: "vm", files: [{ token: 1n, size: 5 * 2 ** 20 }] }],
  },
];
