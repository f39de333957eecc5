/** The error of an image that cannot be read: damaged, too large, or of a kind that luo does not know. */
export class ImageError extends Error {
  override readonly name = "ImageError";

  /**
   * `damaged`: its contents cannot be right. `too_large`: it unpacks to more than the limit. `too_slow`: unpacking takes too long.
   * `unsupported`: luo does not know it.
   */
  readonly code: "damaged" | "too_large" | "too_slow" | "unsupported";
  /** A clause: `its payload ends after the file`. */
  readonly reason: string;

  constructor(code: ImageError["code"], reason: string) {
    super(reason);
    this.code = code;
    this.reason = reason;
  }
}
