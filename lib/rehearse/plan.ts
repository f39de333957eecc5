/** Which sessions and files a rehearsal preserves. */

/** A file to preserve. */
export interface PlannedFile {
  /** Decimal. */
  readonly token: string;
  readonly size: number;
  /** F_SEAL_ flags. */
  readonly seals: number;
}

export interface PlannedSession {
  readonly name: string;
  readonly files: readonly PlannedFile[];
}

export interface Plan {
  readonly sessions: readonly PlannedSession[];
  /** Whether the plan has fewer files, or smaller ones, than the sessions that it imitates. */
  readonly scaled: boolean;
}

const MIB = 2 ** 20;
/** The part of the guest's memory that preserved files may take; the next kernel and its initramfs need the rest. */
const SHARE_OF_MEMORY = 1 / 4;
/** Each file takes a few system calls, which are slow on an emulated CPU. */
const MOST_FILES = 2_000;

/** The sessions for a host that holds none: a large file, an empty file, and a file whose last page is not full. */
const STOCK: readonly PlannedSession[] = [
  {
    name: "rehearsal",
    files: [
      { token: "1", size: 32 * MIB, seals: 0 },
      { token: "2", size: 0, seals: 0 },
      { token: "3", size: 300_001, seals: 0 },
    ],
  },
  { name: "rehearsal of seals", files: [{ token: "1", size: 4096, seals: 0xf }] },
];

/** Sessions like the given ones in number, sizes and seals; smaller when the guest's memory does not hold them. */
export function planLike(held: readonly PlannedSession[], memory_mib: number): Plan {
  const like = held.some(({ files }) => files.length > 0) ? held : STOCK;
  const files = like.flatMap((session) => session.files);
  const total = files.reduce((sum, { size }) => sum + size, 0);
  const most = memory_mib * MIB * SHARE_OF_MEMORY;
  const factor = Math.min(1, most / Math.max(1, total));
  let room = MOST_FILES;
  const sessions = like.map(({ name, files }) => {
    const kept = files.slice(0, room);
    room -= kept.length;
    return {
      name,
      files: kept.map(({ token, size, seals }) => ({ token, seals, size: Math.ceil(size * factor) })),
    };
  });
  return { sessions, scaled: factor < 1 || files.length > MOST_FILES };
}

/** The number of files, and of the bytes in them. */
export function totals({ sessions }: Pick<Plan, "sessions">): { files: number; bytes: number } {
  const files = sessions.flatMap((session) => session.files);
  return { files: files.length, bytes: files.reduce((sum, { size }) => sum + size, 0) };
}
