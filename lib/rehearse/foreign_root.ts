/** A directory with the programs that the guest runs, for a kernel of another architecture than this host's. */
import { stat } from "../../ffi/file.ts";
import type { Architecture } from "../kexec/file_kind.ts";
import { MissingTool } from "./missing_tool.ts";

/** The programs of the guest. */
export interface GuestPrograms {
  readonly architecture: Architecture;
  /** The directory that the guest has as its root. */
  readonly root: string;
  /** The path of a static busybox. */
  readonly busybox: string;
  /** The path of luo, below the root. */
  readonly luo: string;
}

/** @throws MissingTool the directory lacks a program */
export function foreignRoot(root: string, architecture: Architecture): GuestPrograms {
  const place = root.replace(/\/+$/, "") || "/";
  return {
    architecture,
    root: place,
    busybox: `${place}${program(place, "busybox", architecture)}`,
    luo: program(place, "luo", architecture),
  };
}

const PLACES = ["/usr/bin", "/bin", "/usr/local/bin"];

function program(root: string, name: string, architecture: Architecture): string {
  const found = PLACES.map((directory) => `${directory}/${name}`).find((path) =>
    typeof stat(root + path) !== "number"
  );
  if (found !== undefined) return found;
  throw new MissingTool(
    `Cannot start a virtual machine: "${root}" has no ${name} in ${PLACES.join(", ")}`,
    `--root is a directory with luo, a static busybox and the C library, all for ${architecture}`,
  );
}
