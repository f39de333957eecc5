import type { ImageInfo } from "../../lib/agent/protocol.ts";
import { size, table, time, visible } from "../base/text.ts";

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
  if (image.size !== undefined) rows.push(["Size", size(image.size)]);
  if (image.initrd !== undefined) rows.push(["Initrd", image.initrd]);
  if (image.commandLine !== undefined) rows.push(["Command line", image.commandLine]);
  if (image.loadedAt !== undefined) rows.push(["Loaded", time(image.loadedAt)]);
  return table(rows);
}
