/**
 * The origin of a kernel: KHO's blob `kexec-metadata` with the previous kernel's release and the number of kexecs
 * (kho_kexec_metadata_init() of kernel/liveupdate/kexec_handover.c).
 */
import { KhoError } from "../../kho/kho_error.ts";
import {
  decode_kexec_metadata,
  encode_kexec_metadata,
  KEXEC_METADATA,
  KEXEC_METADATA_SIZE,
  type KexecMetadata,
} from "../../kho/kexec_metadata.ts";
import { read } from "../../kho/kept_memory.ts";
import type { Kho } from "./kho.ts";
import type { HandedOver } from "./incoming_kho.ts";
import { Physical } from "../memory/physical.ts";
import type { Ram } from "../memory/ram.ts";

/**
 * Undefined when the blob is missing or unreadable; the kernel boots all the same. Linux never frees its page, and
 * neither does the model.
 */
export function read_metadata(ram: Ram, handed: HandedOver): KexecMetadata | undefined {
  const blob = handed.blobs.find(({ name }) => name === KEXEC_METADATA);
  if (blob === undefined) return undefined;
  try {
    return decode_kexec_metadata(read(new Physical(ram), blob.address, KEXEC_METADATA_SIZE, KEXEC_METADATA));
  } catch (error) {
    if (error instanceof KhoError) return undefined;
    throw error;
  }
}

/** False when memory is used up. */
export function write_metadata(kho: Kho, metadata: KexecMetadata): boolean {
  const address = kho.alloc_preserve(KEXEC_METADATA_SIZE);
  if (address === undefined) return false;
  // strscpy() cuts a longer name.
  const previous_release = metadata.previous_release.slice(0, 64);
  new Physical(kho.ram).write(BigInt(address), encode_kexec_metadata({ ...metadata, previous_release }));
  return kho.add_subtree(KEXEC_METADATA, address, KEXEC_METADATA_SIZE) === 0;
}
