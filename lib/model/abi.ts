/** The formats of a release, as code: what `releases.ts` says by name. */
import { decode_kho_v2, encode_kho_v2 } from "../kho/kho_v2.ts";
import { decode_kho_v4, encode_kho_v4 } from "../kho/kho_v4.ts";
import { LUO_6_19, LUO_SERIES_V6 } from "../kho/luo_v1.ts";
import type { EncodeTree } from "./kho.ts";
import type { TreeFormat } from "./kho_boot.ts";
import type { LuoAbi } from "./luo_abi.ts";
import { luo_v1 } from "./luo_v1.ts";
import { luo_v5 } from "./luo_v5.ts";
import type { Release } from "./releases.ts";

export interface Abi {
  readonly tree: TreeFormat & { readonly encode: EncodeTree };
  readonly luo: LuoAbi;
}

export function abi_of({ layout, formats: { kho } }: Release): Abi {
  if (layout === "v5") {
    return {
      tree: {
        format: kho,
        decode: (bytes) => decode_kho_v4(bytes, kho),
        encode: (tree) => encode_kho_v4(tree, kho),
      },
      luo: luo_v5,
    };
  }
  return {
    tree: {
      format: kho,
      decode: (bytes) => decode_kho_v2(bytes, kho),
      encode: (tree) => encode_kho_v2(tree, kho),
    },
    luo: luo_v1(layout === "6.19" ? LUO_6_19 : LUO_SERIES_V6),
  };
}
