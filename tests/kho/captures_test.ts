/** Captures of real kernels: they encode to the same bytes again, and the report says what was preserved. */
import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import { type Capture, decode_capture } from "../../lib/kho/capture.ts";
import { hex } from "../../lib/kho/kho_error.ts";
import {
  decode_kexec_metadata,
  encode_kexec_metadata,
  KEXEC_METADATA,
} from "../../lib/kho/kexec_metadata.ts";
import { decode_kho_v4, encode_kho_v4_page } from "../../lib/kho/kho_v4.ts";
import {
  decode_luo_tree_v5,
  decode_luo_v5,
  encode_luo_tree_v5,
  encode_luo_v5,
} from "../../lib/kho/luo_v5.ts";
import { decode_memfd_v2, encode_memfd_v2 } from "../../lib/kho/memfd_v2.ts";
import { PAGE_SIZE } from "../../ffi/abi/page.ts";
import { Pages, read } from "../../lib/kho/kept_memory.ts";
import { decode_map, encode_map } from "../../lib/kho/preserved_map.ts";
import { report_memory } from "../../lib/kho/report.ts";
import { kho_in } from "./capture/device_tree.ts";
import { SCENARIOS, type SessionScenario } from "./capture/scenarios.ts";

async function fixture(name: string): Promise<Capture> {
  return await decode_capture(await Deno.readFile(new URL(`fixtures/${name}.json.gz`, import.meta.url)));
}

/** Decodes the whole handover, and encodes it again at the same addresses. */
function again({ pages, fdt }: Capture): Pages {
  const out = new Pages();
  const kho = decode_kho_v4(read(pages, fdt, PAGE_SIZE, "the tree"));
  out.write(fdt, encode_kho_v4_page(kho));
  encode_map(out, decode_map(pages, kho.map));
  for (const { name, address, size } of kho.blobs) {
    const bytes = read(pages, address, Number(size), name);
    if (name === KEXEC_METADATA) out.write(address, encode_kexec_metadata(decode_kexec_metadata(bytes)));
    else {
      const luo = decode_luo_v5(bytes);
      out.write(address, encode_luo_v5(luo));
      const tree = decode_luo_tree_v5(pages, luo);
      encode_luo_tree_v5(out, tree);
      const files = tree.sessions.flatMap(({ entries }) => entries).flatMap(({ files }) => files);
      for (const { data } of files.flatMap(({ entries }) => entries)) {
        encode_memfd_v2(out, data, decode_memfd_v2(pages, data, "a file"));
      }
    }
  }
  return out;
}

for (const { name, sessions, kernel = "7.3.4-luo" } of SCENARIOS) {
  Deno.test(`capture "${name}": decoding and encoding give the same bytes`, async () => {
    const capture = await fixture(name);
    const written = again(capture);
    assert.deepEqual(written.addresses().map(hex), capture.pages.addresses().map(hex));
    for (const address of written.addresses()) {
      const [found, right] = [written.page(address), capture.pages.page(address)];
      assert.ok(found !== undefined && right !== undefined);
      assert.deepEqual(found, right, `the page at ${hex(address)}`);
    }
  });

  Deno.test(`capture "${name}": the report says what was preserved`, async () => {
    const { pages, fdt } = await fixture(name);
    const report = report_memory(pages, fdt);
    assert.deepEqual(report.metadata, { previousRelease: kernel, kexecCount: 1 });
    assert.equal(report.luo?.liveupdateNumber, "1");
    assert.deepEqual(
      report.luo?.sessions?.map(({ name, files }) => ({
        name,
        files: files.map(({ token, handler, size, position, seals }) => ({
          token,
          handler,
          size,
          position,
          seals,
        })),
      })),
      sessions.map(described),
    );
  });
}

function described({ name, files }: SessionScenario) {
  return {
    name,
    files: files.map(({ token, size, position = 0, seals = 0 }) => {
      return { token: String(token), handler: "memfd-v2", size, position, seals };
    }),
  };
}

Deno.test("a huge page is one folio, and one block of order 9 in the map", async () => {
  const { pages, fdt } = await fixture("huge");
  const report = report_memory(pages, fdt);
  const [file] = report.luo?.sessions?.[0]?.files ?? [];
  assert.equal(file?.folios, 3, "5 MiB");
  assert.equal(
    report.preserved?.ranges.filter(({ order }) => order === 9).reduce((sum, { count }) => sum + count, 0),
    3,
  );
});

Deno.test("arm64: the node chosen of the device tree names KHO's tree and the list of scratch areas", async () => {
  const { pages, fdt } = await fixture("arm64");
  const packed = await Deno.readFile(new URL("fixtures/arm64.dtb.gz", import.meta.url));
  const { fdt: tree, scratch } = kho_in(gunzipSync(packed));
  assert.deepEqual([hex(tree.address), tree.size], [hex(fdt), BigInt(PAGE_SIZE)]);
  assert.ok(pages.page(tree.address) !== undefined);
  // Each area is an address and a length: one below 4 GiB, one anywhere, one for the only node.
  assert.equal(scratch.size, 3n * 16n);
});
