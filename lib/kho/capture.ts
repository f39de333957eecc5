/**
 * A capture: a file with the pages of memory that make up a handover. It is JSON, usually gzipped:
 *
 *     {"capture": "luo-kho-capture-v1", "fdt": "0x7f000", "made": "with what", "pages": {"0x7f000": BASE64, ...}}
 *
 * `fdt` is the physical address of KHO's tree. Every page has 4,096 bytes, and its address is a multiple of 4,096.
 */
import { hex, KhoError } from "./kho_error.ts";
import { PAGE_SIZE } from "../../ffi/abi/page.ts";
import { Pages } from "./kept_memory.ts";

const FORMAT = "luo-kho-capture-v1";
/** Limit of the unpacked size: a small gzip file can unpack to any size. */
const MAX_BYTES = 64 * 1024 * 1024;

export interface Capture {
  /** Physical address of KHO's tree. */
  readonly fdt: bigint;
  /** How the capture was made, for people to read. */
  readonly made: string;
  readonly pages: Pages;
}

/** Can a capture begin with these bytes? */
export function is_capture(bytes: Uint8Array): boolean {
  return is_gzip(bytes) || bytes[0] === "{".charCodeAt(0);
}

function is_gzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** Reads a capture. @throws KhoError */
export async function decode_capture(bytes: Uint8Array): Promise<Capture> {
  const json = parse(is_gzip(bytes) ? await unpack(bytes) : bytes);
  if (json.capture !== FORMAT) throw new KhoError("the capture", `its format is not "${FORMAT}"`);
  const pages = new Pages();
  for (const [key, text] of Object.entries(object(json.pages, `its "pages"`))) {
    const page = from_base64(text, `the page ${key} of the capture`);
    const address = number(key);
    if (page.length !== PAGE_SIZE || address % BigInt(PAGE_SIZE) !== 0n) {
      throw new KhoError("the capture", `${page.length} bytes at ${hex(address)} are not a page`);
    }
    pages.write(address, page);
  }
  return { fdt: number(json.fdt), made: String(json.made ?? ""), pages };
}

export async function encode_capture({ fdt, made, pages }: Capture): Promise<Uint8Array> {
  const { gzipSync } = await import("node:zlib");
  const list = pages.addresses().map((address) => [hex(address), pages.page(address)?.toBase64()]);
  const json = { capture: FORMAT, fdt: hex(fdt), made, pages: Object.fromEntries(list) };
  return gzipSync(JSON.stringify(json, undefined, 1), { level: 9 });
}

async function unpack(bytes: Uint8Array): Promise<Uint8Array> {
  const { gunzipSync } = await import("node:zlib");
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_BYTES });
  } catch (error) {
    throw new KhoError(
      "the capture",
      `cannot be unpacked: ${error instanceof Error ? error.message : error}`,
    );
  }
}

function parse(bytes: Uint8Array): Record<string, unknown> {
  try {
    return object(JSON.parse(new TextDecoder().decode(bytes)), "its JSON");
  } catch (error) {
    if (error instanceof KhoError) throw error;
    throw new KhoError("the capture", "is not JSON");
  }
}

function object(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null) {
    throw new KhoError("the capture", `${what} is not an object`);
  }
  return Object.fromEntries(Object.entries(value));
}

function number(value: unknown): bigint {
  if (typeof value !== "string" || !/^0x[0-9a-f]{1,16}$/.test(value)) {
    throw new KhoError("the capture", `${JSON.stringify(value)} is not an address`);
  }
  return BigInt(value);
}

function from_base64(value: unknown, thing: string): Uint8Array {
  try {
    return Uint8Array.fromBase64(String(value));
  } catch {
    throw new KhoError(thing, "is not base64");
  }
}
