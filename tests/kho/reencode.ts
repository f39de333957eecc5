/** A handover read and written again, everything that hangs on KHO's tree. */
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
import { decode_memfd_v2, encode_memfd_v2, MEMFD_V2 } from "../../lib/kho/memfd_v2.ts";
import { type Memory, PAGE_SIZE, Pages, read } from "../../lib/kho/memory.ts";
import { decode_map, encode_map } from "../../lib/kho/preserved_map.ts";

/** @throws KhoError */
export function reencode(memory: Memory, fdt: bigint): Pages {
  const pages = new Pages();
  const kho = decode_kho_v4(read(memory, fdt, PAGE_SIZE, "KHO's tree"));
  pages.write(fdt, encode_kho_v4_page(kho));
  encode_map(pages, decode_map(memory, kho.map));
  for (const { name, address, size } of kho.blobs) {
    const bytes = read(memory, address, Number(size), name);
    if (name === KEXEC_METADATA) pages.write(address, encode_kexec_metadata(decode_kexec_metadata(bytes)));
    if (name !== "LUO") continue;
    const tree = decode_luo_tree_v5(memory, decode_luo_v5(bytes));
    pages.write(address, encode_luo_v5(tree.luo));
    encode_luo_tree_v5(pages, tree);
    const files = tree.sessions.flatMap(({ entries }) => entries).flatMap((session) => session.files)
      .flatMap(({ entries }) => entries);
    for (const { compatible, data } of files) {
      if (compatible === MEMFD_V2) encode_memfd_v2(pages, data, decode_memfd_v2(memory, data, "a memfd"));
    }
  }
  return pages;
}
