/**
 * Kernel releases: the formats and limits of each. The model boots as 6.19, 7.2 or 7.3, or as version 6 of the patch
 * series before LUO was merged. Two kernels do not negotiate; this file also says what a kernel does with formats that
 * it does not know.
 */

/** The format names that one kernel writes and the next compares with its own. */
export interface Formats {
  readonly kho: string;
  readonly luo: string;
  readonly memfd: string;
}

/** How much one kernel can preserve. */
export interface Limits {
  /** Bytes of a session name's buffer, including its NUL. */
  readonly name: number;
  readonly sessions: number;
  /** Files of one session. */
  readonly files: number;
}

/** Which struct layouts the format names stand for: those of 7.2 and later, of 6.19, or of the series. */
export type Layout = "v5" | "6.19" | "series v6";

export interface Release {
  readonly layout: Layout;
  readonly formats: Formats;
  readonly limits: Limits;
  /** The errno of CREATE_SESSION when `limits.sessions` sessions exist. */
  readonly full: "ENOMEM" | "ENOSPC";
  /** Has LIVEUPDATE_SESSION_GET_NAME. */
  readonly get_name: boolean;
  /** Hands FLBs over (file-lifecycle-bound data, `../luo/flb.ts`). */
  readonly flbs: boolean;
  /** Hands the seals of a memfd over. */
  readonly seals: boolean;
  /** The kernel's reaction to LUO data that it cannot read: it panics, or boots without LUO. */
  readonly unreadable: "panic" | "disable";
}

/** 7.2 and 7.3: 10,000 chained blocks of 51 sessions or 63 files (kernel/liveupdate/kho_block.c). */
const V7: Release = {
  layout: "v5",
  formats: { kho: "kho-v4", luo: "luo-v5", memfd: "memfd-v2" },
  limits: { name: 64, sessions: 510_000, files: 630_000 },
  full: "ENOSPC",
  get_name: true,
  flbs: true,
  seals: true,
  unreadable: "panic",
};

/** 6.19: 16 pages of sessions (744 by the comment of its luo_session.c), two pages of files for each. */
const V6_19: Release = {
  layout: "6.19",
  formats: { kho: "kho-v1", luo: "luo-v1", memfd: "memfd-v1" },
  limits: { name: 64, sessions: 744, files: 128 },
  full: "ENOMEM",
  get_name: false,
  flbs: false,
  seals: false,
  unreadable: "panic",
};

/** The series of patches, version 6: `luo-session-v1`, names of 56 bytes, 819 sessions. */
const SERIES_V6: Release = {
  ...V6_19,
  layout: "series v6",
  formats: { kho: "kho-v1", luo: "luo-v1", memfd: "memfd-v1" },
  limits: { name: 56, sessions: 819, files: 128 },
  unreadable: "disable",
};

/**
 * The release that belongs to uname's `X.Y...`, or to `-series-v6` for the patches. `-kho-vN`, `-luo-vN` and
 * `-memfd-vN` in the name replace the formats of that kernel, so that tests can make two kernels that do not fit.
 * Undefined for a kernel from before LUO. A name without a number counts as the newest release; 7.0 and 7.1 count as
 * 6.19.
 */
export function release_of(release: string): Release | undefined {
  const base = base_of(release);
  if (base === undefined) return undefined;
  const formats = { ...base.formats };
  for (const name of ["kho", "luo", "memfd"] as const) {
    const [tag] = new RegExp(`\\b${name}-v\\d+\\b`).exec(release) ?? [];
    if (tag !== undefined) formats[name] = tag;
  }
  return { ...base, formats };
}

function base_of(release: string): Release | undefined {
  if (/-series-v6\b/.test(release)) return SERIES_V6;
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(release) ?? [];
  if (major === undefined || minor === undefined) return V7;
  const version = Number(major) * 1000 + Number(minor);
  if (version < 6019) return undefined;
  return version < 7002 ? V6_19 : V7;
}
