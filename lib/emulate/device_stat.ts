/** What stat(2) and statx(2) say of `/dev/liveupdate` (`arch/x86/include/uapi/asm/stat.h`, `include/uapi/linux/stat.h`). */
import { S_IFCHR } from "../../ffi/abi/fcntl.ts";

const MODE = S_IFCHR | 0o600;
const INO = 1000n;
const MISC_MAJOR = 10;
/** Dynamic minors differ from boot to boot. */
const MINOR = 124;

export function encodeDeviceStat(): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(144);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, 6n, true);
  view.setBigUint64(8, INO, true);
  view.setBigUint64(16, 1n, true);
  view.setUint32(24, MODE, true);
  view.setBigUint64(40, BigInt(MISC_MAJOR << 8 | MINOR), true);
  view.setBigUint64(56, 4096n, true);
  return bytes;
}

export function encodeDeviceStatx(): Uint8Array<ArrayBuffer> {
  const STATX_BASIC_STATS = 0x7ff;
  const bytes = new Uint8Array(256);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, STATX_BASIC_STATS, true);
  view.setUint32(4, 4096, true);
  view.setUint32(16, 1, true);
  view.setUint16(28, MODE, true);
  view.setBigUint64(32, INO, true);
  view.setUint32(128, MISC_MAJOR, true);
  view.setUint32(132, MINOR, true);
  view.setUint32(140, 6, true);
  return bytes;
}
