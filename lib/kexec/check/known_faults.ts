/** Faults of Linux that cost preserved data, by release. docs/kernel-faults/ has a page for each. */

export interface KernelFault {
  /** The name of its page. */
  readonly name: string;
  /** Releases that have it. */
  readonly releases: RegExp;
  /** The first release without it; undefined: no release is known. */
  readonly fixedIn?: string;
  /** Two clauses: the effect, and luo's way around it. */
  readonly what: string;
  readonly remedy: string;
}

export const KERNEL_FAULTS: readonly KernelFault[] = [
  {
    name: "empty-block",
    releases: /^7\.[23](?!\d)/,
    what: "after a session name that is taken, with 51 sessions (102 ...), the next kernel panics",
    remedy: "luo gives the room of the failed session back before the kexec",
  },
];

export function faultsOf(release: string): KernelFault[] {
  return KERNEL_FAULTS.filter(({ releases }) => releases.test(release));
}
