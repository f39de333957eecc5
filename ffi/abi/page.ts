/** The page size of both architectures. luo does not support kernels with pages of 16 or 64 KiB. */

/** Bytes of a page. KHO has no handover between kernels of different page sizes. */
export const PAGE_SIZE = 4096;
