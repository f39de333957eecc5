/** A file that Linux accepts as a kernel: a setup header and nothing else. */
export function image(release = "7.3.4-next"): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(16 * 1024);
  const view = new DataView(bytes.buffer);
  view.setUint8(0x1f1, 4);
  view.setUint16(0x1fe, 0xaa55, true);
  bytes.set(new TextEncoder().encode("HdrS"), 0x202);
  view.setUint16(0x206, 0x020f, true);
  view.setUint16(0x20e, 0x400, true);
  view.setUint8(0x211, 1);
  view.setUint16(0x236, 0x7f, true);
  view.setUint32(0x238, 2047, true);
  bytes.set(new TextEncoder().encode(`${release} (builder@host) #1`), 0x600);
  return bytes;
}
