/** The record of the values of `luo put`, read without an agent. */
import { readRecordBytes, splitRecord } from "./record.ts";
import { decodeValues, isOwn } from "./value_store.ts";

/** Whether values of users are in the record at the path. A record that cannot be read has none. */
export function recordHasValues(path: string): boolean {
  const bytes = readRecordBytes(path);
  const parts = bytes instanceof Uint8Array ? splitRecord(bytes) : undefined;
  const record = parts && decodeValues(parts);
  return record !== undefined && !record.values.keys().every(isOwn);
}
