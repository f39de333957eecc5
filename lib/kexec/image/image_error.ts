/** An image that cannot be read: damaged, too large, or of a kind that is not known here. */
export class ImageError extends Error {
  override readonly name = "ImageError";

  constructor(
    /** `damaged`: what the image says cannot be. `too_large`: it unpacks to more than is read. `unsupported`: not known here. */
    readonly code: "damaged" | "too_large" | "unsupported",
    /** A clause: `its payload ends after the file`. */
    readonly reason: string,
  ) {
    super(reason);
  }
}
