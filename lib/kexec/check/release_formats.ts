/** The handover formats of Linux by release, for a kernel that does not tell them itself. */

/** The names that a kernel writes. */
export interface HandoverNames {
  readonly kho: readonly string[];
  readonly luo: readonly string[];
  /** The handlers of files. */
  readonly handlers: readonly string[];
}

/** Read off each release's include/linux/kho/abi and kernel/liveupdate. Kernels of distributions may differ. */
const TABLE: readonly (readonly [release: RegExp, names: HandoverNames])[] = [
  [/^6\.19(?!\d)/, { kho: ["kho-v1"], luo: ["luo-v1"], handlers: ["memfd-v1"] }],
  [/^7\.[23](?!\d)/, { kho: ["kho-v4"], luo: ["luo-v5"], handlers: ["memfd-v2"] }],
];

/** Undefined: the release is not in the table. */
export function namesOfRelease(release: string): HandoverNames | undefined {
  return TABLE.find(([pattern]) => pattern.test(release))?.[1];
}

/**
 * Handlers of files and of what files share, other than memfd's. Linux 7.3 has none of them. The names are those of the patches
 * under discussion: an image has many names of the same form, and only these are known to belong to handlers.
 */
export const OTHER_HANDLERS: readonly string[] = [
  "huge-memfd",
  "hugetlb",
  "hugetlbfs",
  "guest_memfd",
  "iommu",
  "iommufd",
  "pci",
  "vfio-pci",
];

/** Those of the handlers that a memfd with huge pages needs: its own, and the pool of huge pages, which such files share. */
export const HUGETLB_HANDLERS: readonly string[] = ["huge-memfd", "hugetlb", "hugetlbfs"];

/** The names as they stand in a reason. */
export function listed(names: readonly string[]): string {
  return names.length === 0 ? "none" : names.join(", ");
}

/** Those of the names that say a version of this format. */
export function versionsOf(names: readonly string[], format: string): string[] {
  return names.filter((name) => new RegExp(`^${format}-v\\d+$`).test(name));
}
