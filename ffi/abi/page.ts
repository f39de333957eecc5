/** The size of a page of memory, on both architectures that luo knows. Kernels with pages of 16 or 64 KiB are not supported. */

/** Bytes of a page. KHO knows no other size: a handover between kernels with different page sizes does not fit. */
export const PAGE_SIZE = 4096;
