/** The text of `luo kho show`. */
import type { FileReport, KhoReport, LuoReport } from "../../lib/schema/answer_types.ts";
import { size } from "../base/size.ts";
import { count, visible } from "../base/text.ts";
import { table } from "./table.ts";

/** A handover for people: head, blobs, sessions with their files, FLBs, and notes about what could not be read. */
export function khoText(report: KhoReport): string {
  const blobs = (report.kho?.blobs ?? []).map((
    { name, address, size: bytes },
  ) => [visible(name), address, String(bytes ?? "")]);
  const parts = [
    table(head(report)),
    listing(["BLOB", "ADDRESS", "BYTES"], blobs),
    listing(
      ["SESSION", "TOKEN", "HANDLER", "SIZE", "POSITION", "SEALS", "FOLIOS", "DATA"],
      files(report.luo),
    ),
    listing(
      ["FLB", "FILES", "DATA"],
      (report.luo?.flbs ?? []).map((flb) => [visible(flb.name), flb.files, flb.data]),
    ),
    report.notes.map((note) => `Note: ${visible(note)}`).join("\n"),
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

function listing(title: string[], rows: string[][]): string {
  return rows.length === 0 ? "" : table([title, ...rows]);
}

function head({ kho, metadata, preserved, scratch, luo }: KhoReport): string[][] {
  const rows: string[][] = [];
  if (kho !== undefined) rows.push(["KHO", `${kho.format}, map at ${kho.map}`]);
  if (metadata !== undefined) {
    rows.push(["From", `${visible(metadata.previousRelease)}, kexec ${metadata.kexecCount}`]);
  }
  if (preserved !== undefined) {
    const blocks = count(preserved.ranges.length, "range");
    rows.push([
      "Preserved",
      `${size(preserved.bytes)} in ${blocks}, map of ${count(preserved.mapPages, "page")}`,
    ]);
  }
  if (scratch !== undefined) {
    const areas = scratch.filter((area) => area.size > 0);
    rows.push(["Scratch", areas.map((area) => `${size(area.size)} at ${area.address}`).join(", ")]);
  }
  if (luo !== undefined) {
    const sessions = luo.sessions === undefined ? "" : `, ${count(luo.sessions.length, "session")}`;
    rows.push(["LUO", `${luo.format}, live update ${luo.liveupdateNumber}${sessions}`]);
  }
  return rows;
}

function files(luo: LuoReport | undefined): string[][] {
  return (luo?.sessions ?? []).flatMap((session) => {
    const name = visible(session.name);
    return session.files.length === 0
      ? [[name, "no files"]]
      : session.files.map((file) => [name, ...row(file)]);
  });
}

function row(file: FileReport): string[] {
  const { token, handler, data, position, seals, folios } = file;
  const bytes = file.size === undefined ? "" : size(file.size);
  const flags = seals === undefined ? "" : `0x${seals.toString(16)}`;
  return [token, visible(handler), bytes, String(position ?? ""), flags, String(folios ?? ""), data];
}
