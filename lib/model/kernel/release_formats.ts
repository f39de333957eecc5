/** The code that reads and writes the formats of a release, whose names `../ground/releases.ts` lists. */
import { decode_kho_v1, encode_kho_v1 } from "../../kho/kho_v1.ts";
import { decode_kho_v4, encode_kho_v4_page } from "../../kho/kho_v4.ts";
import { LUO_6_19, LUO_SERIES_V6 } from "../../kho/luo_v1.ts";
import { bitmaps } from "../kho/bitmaps.ts";
import type { KhoFormat } from "../kho/kho.ts";
import type { TreeFormat } from "../kho/incoming_kho.ts";
import type { LuoFormat } from "../luo/handover.ts";
import { luo_v1 } from "../luo/handover_v1.ts";
import { luo_v5 } from "../luo/handover_v5.ts";
import { radix_tree } from "../kho/radix_tree.ts";
import { memfd_v1, MEMFD_V2, type MemfdFormat } from "../handlers/memfd_format.ts";
import type { Release } from "../ground/releases.ts";

export interface ReleaseFormats {
  readonly tree: TreeFormat & KhoFormat;
  readonly luo: LuoFormat;
  readonly memfd: MemfdFormat;
}

export function formats_of({ layout, formats: { kho } }: Release): ReleaseFormats {
  if (layout === "v5") {
    return {
      tree: {
        format: kho,
        map: radix_tree,
        decode: (bytes) => decode_kho_v4(bytes, kho),
        encode: (tree) => encode_kho_v4_page(tree, kho),
      },
      luo: luo_v5,
      memfd: MEMFD_V2,
    };
  }
  return {
    tree: {
      format: kho,
      map: bitmaps,
      decode: (bytes) => decode_kho_v1(bytes, kho),
      encode: (tree) => encode_kho_v1(tree, kho),
    },
    luo: luo_v1(layout === "6.19" ? LUO_6_19 : LUO_SERIES_V6),
    memfd: memfd_v1(layout),
  };
}
