/** What types are called in TypeScript, where that is not their name in JSON. */
import type { TypeNames } from "./typescript.ts";

/** TypeScript has a `File` of its own, the library a `Session` and an `Image`, the commands a `Failure`. */
export const NAMES: TypeNames = {
  File: "FileInfo",
  Session: "SessionInfo",
  Image: "ImageInfo",
  Handover: "KhoReport",
  HandoverLuo: "LuoReport",
  HandoverFile: "FileReport",
  Failure: "FailureInfo",
};
