/**
 * What a kernel of some release speaks and allows: the model boots as 6.19, 7.2 or 7.3, or as the v6 series from before LUO
 * was merged. Two kernels do not negotiate; what happens when their formats differ is here too.
 */

/** The strings one kernel writes and the next compares. */
export interface Formats {
  readonly kho: string;
  readonly luo: string;
  readonly memfd: string;
}

export interface Limits {
  /** Bytes of a name's buffer, its NUL included. */
  readonly name: number;
  readonly sessions: number;
  /** Files of one session. */
  readonly files: number;
}

/** How what they name is laid out: 7.2 and later, 6.19, the series. */
export type Layout = "v5" | "6.19" | "series v6";

export interface Release {
  readonly layout: Layout;
  readonly formats: Formats;
  readonly limits: Limits;
  /** What CREATE_SESSION gives when `limits.sessions` are there. */
  readonly full: "ENOMEM" | "ENOSPC";
  /** LIVEUPDATE_SESSION_GET_NAME. */
  readonly get_name: boolean;
  readonly flbs: boolean;
  /** Seals come along with a memfd. */
  readonly seals: boolean;
  /** LUO data that cannot be read: the kernel panics, or goes on without LUO. */
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
 * By uname's release: `X.Y...`, and `-series-v6` for the patches. `-kho-vN`, `-luo-vN`, `-memfd-vN` in it change what that
 * kernel speaks, for a pair of kernels that does not fit. Undefined for a kernel from before LUO; one that says no number is
 * taken for the newest, and 7.0 and 7.1 for 6.19.
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
