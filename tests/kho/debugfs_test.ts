/** What 7.3.4 has in debugfs before and after a kexec, as it was seen in the virtual machine: every file, every byte. */
import assert from "node:assert/strict";
import { khoText } from "../../commands/kho_text.ts";
import { Errno } from "../../ffi/abi/errno.ts";
import { LuoError } from "../../lib/error.ts";
import { decode_kho_v4, encode_kho_v4 } from "../../lib/kho/kho_v4.ts";
import { PAGE_SIZE, read } from "../../lib/kho/memory.ts";
import { type Reader, report_debugfs } from "../../lib/kho/source.ts";
import { fixture } from "./fixtures.ts";

const KHO = "/sys/kernel/debug/kho";

/** Only these files, each read in two pieces. */
class Debugfs implements Reader {
  readonly #open = new Map<number, Uint8Array>();

  constructor(readonly files: Readonly<Record<string, Uint8Array>>) {}

  open(path: string): number {
    const bytes = this.files[path.replace(`${KHO}/`, "")];
    if (bytes === undefined) return -Errno.ENOENT;
    const fd = this.#open.size + 3;
    this.#open.set(fd, bytes);
    return fd;
  }

  read(fd: number, into: Uint8Array): number {
    const bytes = this.#open.get(fd) ?? new Uint8Array();
    const piece = bytes.subarray(0, Math.ceil(bytes.length / 2));
    into.set(piece);
    this.#open.set(fd, bytes.subarray(piece.length));
    return piece.length;
  }

  close(): number {
    return 0;
  }
}

const text = (value: string) => new TextEncoder().encode(value);
const SCRATCH = {
  "out/scratch_phys": text("0x39800000\n0x3f800000\n0x2b400000\n"),
  "out/scratch_len": text("0x4c00000\n0x0\n0xe400000\n"),
};

async function blobs(): Promise<{ tree: Uint8Array; luo: Uint8Array; metadata: Uint8Array }> {
  const { pages, fdt } = await fixture("7.3.4-none");
  const kho = decode_kho_v4(read(pages, fdt, PAGE_SIZE, "tree"));
  const [luo, metadata] = ["LUO", "kexec-metadata"].map((name) => {
    const blob = kho.blobs.find((one) => one.name === name);
    return read(pages, blob?.address ?? 0n, Number(blob?.size), name);
  });
  assert.ok(luo !== undefined && metadata !== undefined);
  return { tree: encode_kho_v4(kho), luo, metadata };
}

Deno.test("before a kexec: the outgoing tree, though it is cut off, blobs and scratch", async () => {
  const { tree, luo, metadata } = await blobs();
  const kernel = new Debugfs({
    ...SCRATCH,
    "out/fdt": tree.subarray(0, 233),
    "out/sub_fdts/LUO": luo,
    "out/sub_fdts/kexec-metadata": metadata,
  });
  const report = report_debugfs(kernel, "out");
  assert.deepEqual(report.notes, []);
  assert.deepEqual(report.kho?.blobs.map(({ name }) => name), ["LUO", "kexec-metadata"]);
  assert.deepEqual(report.luo, { format: "luo-v5", liveupdateNumber: "1" });
  assert.equal(report.scratch?.length, 3);
  assert.match(khoText(report), /^Scratch +76 MiB at 0x39800000, 228 MiB at 0x2b400000$/m);
  const nothing = (error: unknown) => error instanceof LuoError && error.is("ENOENT");
  assert.throws(() => report_debugfs(kernel, "in"), nothing);
});

Deno.test("after a kexec: no outgoing tree; the incoming LUO is others' memory", async () => {
  const { tree, luo, metadata } = await blobs();
  const kernel = new Debugfs({
    ...SCRATCH,
    "in/fdt": tree,
    "in/sub_fdts/LUO": Uint8Array.fromHex(`7f454c46${"02010103".repeat(7)}`),
    "in/sub_fdts/kexec-metadata": metadata,
    "out/sub_fdts/LUO": luo,
    "out/sub_fdts/kexec-metadata": metadata,
  });
  const out = report_debugfs(kernel, "out");
  assert.equal(out.kho, undefined);
  assert.equal(out.luo?.liveupdateNumber, "1");
  assert.match(out.notes.join(), /tree is not in debugfs/);
  const incoming = report_debugfs(kernel, "in");
  assert.equal(incoming.metadata?.previousRelease, "7.3.4-luo");
  assert.equal(incoming.luo, undefined);
  assert.equal(incoming.scratch, undefined);
  assert.match(incoming.notes.join(), /others have used its memory since/);
});
