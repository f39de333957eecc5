/** A small handover of a 7.3 kernel, made by hand for tests. */
import type { Blob } from "../../lib/kho/kho_tree.ts";
import { encode_kexec_metadata } from "../../lib/kho/kexec_metadata.ts";
import { encode_kho_v4 } from "../../lib/kho/kho_v4.ts";
import { encode_luo_tree_v5, encode_luo_v5, type LuoTreeV5 } from "../../lib/kho/luo_v5.ts";
import { encode_memfd_v2, type MemfdV2 } from "../../lib/kho/memfd_v2.ts";
import { Pages } from "../../lib/kho/kept_memory.ts";
import { encode_map, plan_nodes, type PreservedMap, type Range } from "../../lib/kho/preserved_map.ts";

export const PLACES = {
  fdt: 0x1000n,
  luo: 0x2000n,
  metadata: 0x3000n,
  sessions: 0x4000n,
  memfd: 0x8000n,
} as const;

const name = (text: string) => new TextEncoder().encode(text);

export const MEMFD: MemfdV2 = {
  position: 7n,
  size: 8192n,
  seals: 0,
  flags: 0,
  folios: [{ pfn: 0x200n, flags: 3, index: 0n }, { pfn: 0x1234n, flags: 3, index: 1n }],
  area: {
    first: 0x9000n,
    total_pages: 1,
    flags: 1,
    order: 0,
    chunks: [{ address: 0x9000n, blocks: [0xa000n] }],
  },
};

export const TREE: LuoTreeV5 = {
  luo: { liveupdate_number: 3n, sessions_pa: PLACES.sessions, flbs_pa: 0x7000n },
  sessions: [
    {
      address: PLACES.sessions,
      entries: [
        {
          name: name("vm0"),
          files_pa: 0x6000n,
          count: 1n,
          files: [{
            address: 0x6000n,
            entries: [{ compatible: "memfd-v2", data: PLACES.memfd, token: 2n ** 64n - 1n }],
          }],
        },
        { name: name("empty"), files_pa: 0n, count: 0n, files: [] },
      ],
    },
    { address: 0x5000n, entries: [{ name: Uint8Array.of(0xff), files_pa: 0n, count: 0n, files: [] }] },
  ],
  flbs: { page_count: 1n, entries: [{ name: "test-flb-v1", data: 5n, count: 2n }] },
};

export const RANGES: readonly Range[] = [
  { address: 0x20_0000n, order: 9, count: 1 },
  { address: 0x1000n, order: 0, count: 10 },
  { address: 0x123_4000n, order: 0, count: 1 },
];

export function map(): PreservedMap {
  let next = 0x10_0000n;
  return { nodes: plan_nodes(RANGES, () => (next += 0x1000n)), ranges: RANGES };
}

/** The pages of the handover. */
export function machine(): Pages {
  const pages = new Pages();
  const preserved = map();
  const metadata = encode_kexec_metadata({ previous_release: "7.3.4", kexec_count: 3 });
  const blobs: Blob[] = [
    { name: "LUO", address: PLACES.luo, size: 32n },
    { name: "kexec-metadata", address: PLACES.metadata, size: BigInt(metadata.length) },
  ];
  pages.write(PLACES.fdt, encode_kho_v4({ map: preserved.nodes[0]?.address ?? 0n, blobs }));
  pages.write(PLACES.luo, encode_luo_v5(TREE.luo));
  pages.write(PLACES.metadata, metadata);
  encode_luo_tree_v5(pages, TREE);
  encode_memfd_v2(pages, PLACES.memfd, MEMFD);
  encode_map(pages, preserved);
  return pages;
}
