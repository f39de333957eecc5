/** The entries of sessions and files, which `luo-v1` keeps in arrays and `luo-v5` in chained blocks. */
import type { EntryCodec } from "./blocks.ts";
import { ascii, put_name, u64, words } from "./struct_fields.ts";

/** struct luo_session_ser. The two formats lay its fields out differently, so each has a codec of its own. */
export interface SessionEntry {
  readonly name: Uint8Array;
  /** Physical address of the list of files; 0 for none. */
  readonly files_pa: bigint;
  /** Number of files. */
  readonly count: bigint;
}

/** struct luo_file_ser. */
export interface FileEntry {
  /** Name of the file handler and of its format. */
  readonly compatible: string;
  /** The handler's own value, for memfds the physical address of a struct. */
  readonly data: bigint;
  readonly token: bigint;
}

/** Codec of a file's entry, which is the same in every format so far. */
export const FILE: EntryCodec<FileEntry> = {
  thing: "files",
  size: 64,
  decode: (bytes, thing) => ({
    compatible: ascii(bytes, 0, 48, `the handler of ${thing}`),
    data: u64(bytes, 48),
    token: u64(bytes, 56),
  }),
  encode(file) {
    const bytes = new Uint8Array(64);
    put_name(bytes, 0, 48, file.compatible, "the handler of a file");
    bytes.set(words(file.data, file.token), 48);
    return bytes;
  },
};
