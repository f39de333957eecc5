/** The error of an image that cannot be read: damaged, too large, or of a kind that luo does not know. */
export class ImageError extends Error {
  override readonly name = "ImageError";

  constructor(
    /**
     * `damaged`: what the image says cannot be. `too_large`: it unpacks to more than is read. `too_slow`: unpacking takes too long.
     * `unsupported`: not known here.
     */
    readonly code: "damaged" | "too_large" | "too_slow" | "unsupported",
    /** A clause: `its payload ends after the file`. */
    readonly reason: string,
  ) {
    super(reason);
    this.code = code;
    this.reason = reason;
  }
}
