/** The parts of the tests in the virtual machine that run on the host. */
import { equal } from "node:assert/strict";
import { troubleIn } from "../contract/report.ts";
import { cpio } from "../../lib/rehearse/cpio.ts";
import { nextCommandLine } from "./guest.ts";

Deno.test("nextCommandLine counts the boot up and forgets the words meant for one boot", () => {
  equal(nextCommandLine("console=ttyS0 luo.boot=1\n"), "console=ttyS0 luo.boot=2");
  equal(nextCommandLine("a luo.boot=9", "liveupdate=off"), "a luo.boot=10 liveupdate=off");
  equal(nextCommandLine("a luo.boot=10 liveupdate=off"), "a luo.boot=11");
});

Deno.test("cpio: every member begins at a multiple of four, the trailer ends the archive", () => {
  const text = new TextDecoder("latin1").decode(cpio([
    { path: "bin", kind: "directory" },
    { path: "bin/x", kind: "file", bytes: new Uint8Array(3), mode: 0o755 },
    { path: "bin/link", kind: "link", target: "x" },
  ]));
  const members = [...text.matchAll(/070701/g)].map(({ index }) => index);
  equal(members.length, 4);
  equal(members.every((at) => at % 4 === 0), true);
  equal(text.length % 4, 0);
  equal(text.includes("TRAILER!!!"), true);
});

Deno.test("a kernel log is in trouble when it warns, not when it talks", () => {
  equal(troubleIn("[ 1.0] luo: Retrieved live update data\n[ 1.1] Booting").length, 0);
  equal(troubleIn("[ 1.0] WARNING: CPU: 0 PID: 1 at mm/x.c\n[ 1.1] BUG: bad page state").length, 2);
});
