/**
 * KHO's blob "kexec-metadata" of Linux 7.2 and 7.3 (include/linux/kho/abi/kexec_metadata.h), packed: 73 bytes.
 *
 * | field | at |
 * |---|---|
 * | u32 version: 1 | 0 |
 * | char previous_release[65] | 4 |
 * | u32 kexec_count: kexecs since the last cold boot | 69 |
 */
import { KhoError } from "./kho_error.ts";
import { ascii, exactly, put_name, u32, view } from "./struct_fields.ts";

export const KEXEC_METADATA = "kexec-metadata";
export const KEXEC_METADATA_SIZE = 73;

export interface KexecMetadata {
  /** Release (`uname -r`) of the kernel that hands over. */
  readonly previous_release: string;
  readonly kexec_count: number;
}

/** Reads the blob. @throws KhoError also for another version */
export function decode_kexec_metadata(bytes: Uint8Array): KexecMetadata {
  exactly(bytes, KEXEC_METADATA_SIZE, KEXEC_METADATA);
  const version = u32(bytes, 0);
  if (version !== 1) throw new KhoError(KEXEC_METADATA, `its version is ${version}, not 1`);
  return { previous_release: ascii(bytes, 4, 65, "the previous release"), kexec_count: u32(bytes, 69) };
}

export function encode_kexec_metadata({ previous_release, kexec_count }: KexecMetadata): Uint8Array {
  const bytes = new Uint8Array(KEXEC_METADATA_SIZE);
  view(bytes).setUint32(0, 1, true);
  put_name(bytes, 4, 65, previous_release, "the previous release");
  view(bytes).setUint32(69, kexec_count, true);
  return bytes;
}
