/** The values of liveupdate= and kho= on a kernel's command line, and whether the device exists then. */
import assert from "node:assert/strict";
import { O_RDWR } from "../../ffi/abi/fcntl.ts";
import { LIVEUPDATE_DEVICE } from "../../ffi/abi/liveupdate.ts";
import { KEXEC_FILE_NO_INITRAMFS, LINUX_REBOOT_CMD_KEXEC } from "../../ffi/abi/kexec.ts";
import { ProcessKilled } from "../../lib/system_calls.ts";
import { MemoryDisk } from "../../lib/model/fs/disk.ts";
import { Machine } from "../../lib/model/machine.ts";
import { image } from "./image.ts";

/** Each line, except the empty one, was tried on Linux 7.3.4 in a virtual machine; the first few on 7.2.12 too. */
const LINES: readonly (readonly [command_line: string, device: boolean])[] = [
  ["liveupdate=on", true],
  ["liveupdate=enable", true],
  ["liveupdate=on liveupdate=disable", false],
  ["", false],
  ["liveupdate", false],
  ["liveupdate=", false],
  ["liveupdate=1", true],
  ["liveupdate=y", true],
  ["liveupdate=Yes", true],
  ["liveupdate=ON", true],
  ["liveupdate=true", true],
  ["liveupdate=Enabled", true],
  ["liveupdate=0", false],
  ["liveupdate=2", false],
  ["liveupdate=o", false],
  ['liveupdate="on"', true],
  ['"liveupdate=on"', true],
  ['liveupdate=on"', true],
  ["LIVEUPDATE=on", false],
  ["liveupdate=on liveupdate=off", false],
  ["liveupdate=off liveupdate=on", true],
  ["liveupdate=on liveupdate=x", true],
  ["liveupdate=on liveupdate", true],
  ["liveupdate=on kho=off", false],
  ["liveupdate=on kho=0", false],
  ["liveupdate=on kho=disable", false],
  ["liveupdate=on kho=maybe", true],
  ["liveupdate=on kho=off kho", false],
  ["liveupdate=on kho=off kho=e", true],
  ["kho=on", false],
  ["-- liveupdate=on", false],
  ['x="a liveupdate=on', false],
  ['"a liveupdate=on" liveupdate=y', true],
  ["live-update=on liveupdate =on", false],
];

for (const [line, device] of LINES) {
  Deno.test(`command line ${JSON.stringify(line)}: ${device ? "a" : "no"} device`, () => {
    const m = new Machine({ disk: new MemoryDisk({ "/image": image("7.3.4") }) });
    const sys = m.init();
    const text = new TextEncoder().encode(`${line}\0`);
    const fd = sys.open("/image", 0);
    const flags = BigInt(KEXEC_FILE_NO_INITRAMFS);
    assert.equal(sys.kexec_file_load(fd, -1, BigInt(text.length), text, flags), 0);
    assert.throws(() => sys.reboot(LINUX_REBOOT_CMD_KEXEC), ProcessKilled);
    assert.equal(m.init().open(LIVEUPDATE_DEVICE, O_RDWR) >= 0, device);
  });
}
