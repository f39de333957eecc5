/** The loaded image as people read it. */
import type { ImageInfo } from "../../lib/agent/protocol.ts";
import { size } from "../base/size.ts";
import { shortDigest, time, visible } from "../base/text.ts";
import { table } from "./table.ts";

/** `/boot/vmlinuz (7.3.4)`, or that there is none. */
export function imageLine(image: ImageInfo): string {
  if (!image.loaded) return "none loaded";
  if (image.by === "other") return "loaded by another program";
  const release = image.release === undefined ? "" : ` (${visible(image.release)})`;
  return `${visible(image.kernel ?? "loaded")}${release}`;
}

export function imageText(image: ImageInfo): string {
  if (!image.loaded) return "No kernel loaded";
  const rows = [["Kernel", imageLine(image)]];
  if (image.size !== undefined) rows.push(["Size", contents(image.size, image.digest)]);
  if (image.initrd !== undefined) rows.push(["Initrd", image.initrd]);
  if (image.initrdSize !== undefined) {
    rows.push(["Initrd size", contents(image.initrdSize, image.initrdDigest)]);
  }
  if (image.commandLine !== undefined) rows.push(["Command line", image.commandLine]);
  if (image.loadedAt !== undefined) rows.push(["Loaded", time(image.loadedAt)]);
  if (image.held === false) {
    rows.push(["Held", "no: the agent that loaded it has ended; load it again before exec"]);
  }
  return table(rows);
}

function contents(bytes: number, digest: string | undefined): string {
  return digest === undefined ? size(bytes) : `${size(bytes)}, ${shortDigest(digest)}`;
}

/** The result of `kexec unload`. */
export function unloadedText(unloaded: ImageInfo | undefined): string {
  if (unloaded === undefined) return "Nothing was loaded";
  if (unloaded.by === "other") return "Unloaded the kernel that another program had loaded";
  return `Unloaded ${imageLine(unloaded)}`;
}
