/** Finds `Linux version ...`, the banner that every kernel carries (init/version-timestamp.c), in an unpacked kernel. */

/** Bytes that are read at once. */
const PIECE = 1 << 20;
const MARK = "Linux version ";
/** UTS_RELEASE has at most 64 bytes; the rest of the banner is build host, compiler and date. */
const BANNER_MAX = 512;

/**
 * The banner without its newline, or undefined. `read(offset, length)` gives bytes of the file, fewer at its end. A kernel has
 * the words more than once (`linux_proc_banner` has `%s` in place of the release): the first one with a release counts.
 */
export function findBanner(
  read: (offset: number, length: number) => Uint8Array,
  size: number,
): string | undefined {
  const decoder = new TextDecoder("latin1");
  // Pieces overlap: a banner that begins at the end of one is whole in the next.
  for (let offset = 0; offset < size; offset += PIECE - BANNER_MAX) {
    const text = decoder.decode(read(offset, PIECE));
    for (let at = text.indexOf(MARK); at >= 0; at = text.indexOf(MARK, at + 1)) {
      const banner = text.slice(at, at + BANNER_MAX).match(/^Linux version \d[^\n\0]*/)?.[0];
      if (banner !== undefined) return banner;
    }
    if (text.length < PIECE) return undefined;
  }
  return undefined;
}

/** `7.3.4` of `Linux version 7.3.4 (user@host) ...`. */
export function bannerRelease(banner: string): string | undefined {
  return banner.slice(MARK.length).split(" ")[0] || undefined;
}
