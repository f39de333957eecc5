/** Small handovers of 6.19 and of the series, made by hand for tests. */
import { type BitmapMap, encode_bitmap_map } from "../../lib/kho/bitmap_map.ts";
import { encode_kho_v1 } from "../../lib/kho/kho_v1.ts";
import {
  type Dialect,
  encode_file_list,
  encode_luo_v1,
  encode_sessions,
  LUO_6_19,
  LUO_SERIES_V6,
} from "../../lib/kho/luo_v1.ts";
import { encode_flbs, type FlbsV5 } from "../../lib/kho/luo_v5.ts";
import { encode_memfd_v1, type MemfdV1 } from "../../lib/kho/memfd_v1.ts";
import { PAGE_SIZE } from "../../ffi/abi/page.ts";
import { Pages } from "../../lib/kho/kept_memory.ts";
import { MEMFD } from "./machine.ts";

export const FDT = 0x1000n;

/** A map with two orders, and a bitmap for high addresses. */
export const MAP: BitmapMap = {
  chunks: [
    { address: 0x20_0000n, order: 0, bitmaps: [{ start: 0n, address: 0x20_1000n }] },
    {
      address: 0x20_2000n,
      order: 9,
      bitmaps: [{ start: 0n, address: 0x20_3000n }, { start: 2n ** 36n, address: 0x20_4000n }],
    },
  ],
  ranges: [
    { address: 0x1000n, order: 0, count: 9 },
    { address: 0x40_0000n, order: 9, count: 1 },
    { address: 2n ** 36n + 0x20_0000n, order: 9, count: 2 },
  ],
};

export const forms = [[LUO_6_19, "6.19"], [LUO_SERIES_V6, "series v6"]] as const;

export function memfd(form: MemfdV1["form"]): MemfdV1 {
  const { position, size, folios, area } = MEMFD;
  return { form, position, size, folios, area };
}

export const FLBS: FlbsV5 = { page_count: 1n, entries: [{ name: "an-flb-v1", data: 16n, count: 1n }] };

/** A handover with one session of one memfd, and an empty session. */
export function handover(dialect: Dialect, form: MemfdV1["form"]): Pages {
  const pages = new Pages();
  const blobs = [{ name: "LUO", address: 0x2000n, size: 0n }];
  pages.write(FDT, new Uint8Array(PAGE_SIZE));
  pages.write(FDT, encode_kho_v1({ map: 0x20_0000n, blobs }));
  encode_bitmap_map(pages, MAP);
  pages.write(0x2000n, new Uint8Array(PAGE_SIZE));
  const luo = { liveupdate_number: 4n, sessions_pa: 0x3000n };
  // 6.19 has no FLBs.
  const flbs = dialect === LUO_SERIES_V6 ? { flbs_pa: 0x7000n } : {};
  pages.write(0x2000n, encode_luo_v1({ ...luo, ...flbs }, dialect));
  if (dialect === LUO_SERIES_V6) encode_flbs(pages, 0x7000n, FLBS);
  const name = (text: string) => new TextEncoder().encode(text);
  const sessions = [{ name: name("vm0"), files_pa: 0x4000n, count: 1n }, {
    name: name("empty"),
    files_pa: 0n,
    count: 0n,
  }];
  encode_sessions(pages, 0x3000n, dialect, sessions);
  encode_file_list(pages, 0x4000n, [{ compatible: "memfd-v1", data: 0x8000n, token: 9n }]);
  encode_memfd_v1(pages, 0x8000n, memfd(form));
  return pages;
}
