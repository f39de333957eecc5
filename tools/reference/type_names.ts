/** The names of types in TypeScript, where they differ from those in JSON. */
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
