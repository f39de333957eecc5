/** The values of `luo put`: small data of scripts that survives every kexec, and the agent's death too. docs/keep.md explains it. */
import { LuoError } from "../error.ts";
import type { IncomingSession } from "../session.ts";
import { compiled } from "../schema/compiled.ts";
import { StoredValueChange, StoredValues } from "../schema/journal.ts";
import type { StoredValue } from "../schema/types.ts";
import type { AgentPaths } from "./agent_place.ts";
import type { JournalBytes } from "./journal_log.ts";
import { JournalWriter } from "./journal_writer.ts";
import type { OwnSession } from "./own_session.ts";
import { readManifest } from "./manifest.ts";
import { VALUES_MAX } from "./value_limits.ts";
import { readRecordBytes, setAsideRecord, splitRecord } from "./record.ts";

export interface Value {
  readonly bytes: Uint8Array;
  /** When it was put: RFC 3339, in UTC. */
  readonly at: string;
}

/** Keys that begin with this are the agent's own: users' keys have no control characters. */
const OWN = "\u0001";

/** Whether the agent keeps the value for itself. */
export function isOwn(key: string): boolean {
  return key.startsWith(OWN);
}

/**
 * All values, in memory, in a record beside the socket (for the next agent of this boot), and in the session `luo-values` (for the
 * next kernel). Both have the form of the journal's: a checkpoint, and a log of changes.
 */
export class ValueStore implements Disposable {
  readonly #values = new Map<string, Value>();
  readonly #writer: JournalWriter;
  readonly #paths: { readonly state: string; readonly damaged: string };
  /** Bytes of all keys and values. */
  #bytes = 0;
  /** The session has been made in this kernel. */
  #begun = false;

  constructor(
    paths: AgentPaths,
    readonly bootId: string,
    readonly session: OwnSession,
  ) {
    this.#paths = { state: paths.values, damaged: paths.damagedValues };
    this.#writer = new JournalWriter(this.#paths, session);
  }

  get size(): { count: number; bytes: number } {
    return { count: this.entries().length, bytes: this.#bytes };
  }

  /** Whether this agent has written any. The journal carries that, so that the next agent misses them when they are gone. */
  get begun(): boolean {
    return this.#begun;
  }

  /**
   * Takes the values over that an earlier agent left, and writes them to both places before the session that they came in is
   * finished. From the retrieve to the write of the record the agent alone has them.
   *
   * @returns why values are lost
   * @throws LuoError `retrieve`
   */
  begin(): string | undefined {
    this.#clear();
    const incoming = this.session.incoming();
    const lost = this.#inherit(incoming);
    if (this.#values.size > 0 || incoming !== undefined) {
      this.#writer.tryWrite({
        change: undefined,
        whole: () => this.#encoded(),
      });
    }
    if (incoming !== undefined || this.#values.size > 0) this.#begun = true;
    this.session.finish();
    return lost;
  }

  #clear(): void {
    this.#values.clear();
    this.#bytes = 0;
  }

  #inherit(incoming: IncomingSession | undefined): string | undefined {
    const bytes = readRecordBytes(this.#paths.state);
    const parts = bytes instanceof Uint8Array ? splitRecord(bytes) : undefined;
    const record = parts && decodeValues(parts);
    if (record?.bootId === this.bootId) {
      this.#writer.recordIsOfThisBoot = true;
      this.#take(record.values);
      return undefined;
    }
    const damaged = bytes !== undefined && record === undefined;
    if (damaged) setAsideRecord(this.#paths);
    const manifest = incoming && readManifest(incoming);
    const handedOver = manifest && decodeValues(manifest);
    if (handedOver !== undefined) this.#take(handedOver.values);
    else if (manifest !== undefined) return "the values of luo put were handed over damaged";
    else if (damaged) {
      return `the record of the values of luo put cannot be read (see "${this.#paths.damaged}")`;
    } else if (this.session.adopted !== undefined) {
      return "the record of the values of luo put is gone";
    } else if (record !== undefined) return this.#notHandedOver(record.values);
  }

  /** The history of updates, which is the agent's own, ends with its kernel: that is no loss. */
  #notHandedOver(values: ReadonlyMap<string, Value>): string | undefined {
    const lost = [...values.keys()].filter((key) => !isOwn(key)).length;
    if (lost === 0) return undefined;
    setAsideRecord(this.#paths);
    const count = `${lost} ${lost === 1 ? "value" : "values"}`;
    return `the kernel that held ${count} of luo put ended without handing them over ` +
      `(they are in "${this.#paths.damaged}")`;
  }

  #take(values: ReadonlyMap<string, Value>): void {
    for (const [key, value] of values) this.#set(key, value);
  }

  get(key: string): Value | undefined {
    return this.#values.get(key);
  }

  /** The values in the order of their keys, by UTF-16 code units. */
  entries(): [string, Value][] {
    return sorted([...this.#values].filter(([key]) => !isOwn(key)));
  }

  /** The values that the agent keeps for itself under names with this beginning. */
  own(prefix: string): [name: string, value: Value][] {
    const found = [...this.#values].filter(([key]) => key.startsWith(OWN + prefix));
    return sorted(found.map(([key, value]) => [key.slice(OWN.length), value]));
  }

  /** @throws LuoError the value is as it was */
  putOwn(name: string, value: Value): void {
    this.put(OWN + name, value);
  }

  /** @throws LuoError the value is as it was */
  dropOwn(name: string): void {
    this.drop(OWN + name);
  }

  /** Whether there is room for the value in place of the one that the key has. */
  hasRoom(key: string, bytes: Uint8Array): boolean {
    return this.#bytes - sizeOf(key, this.#values.get(key)) + sizeOf(key, { bytes }) <= VALUES_MAX;
  }

  /** @throws LuoError the value is as it was */
  put(key: string, value: Value): void {
    const before = this.#values.get(key);
    this.#set(key, value);
    this.#write({ put: storedValue(key, value) }, () => this.#set(key, before));
    this.#begun = true;
  }

  /** Undefined: there is none. @throws LuoError the value is as it was */
  drop(key: string): Value | undefined {
    const before = this.#values.get(key);
    if (before === undefined) return undefined;
    this.#set(key, undefined);
    this.#write({ drop: key }, () => this.#set(key, before));
    return before;
  }

  #set(key: string, value: Value | undefined): void {
    this.#bytes -= sizeOf(key, this.#values.get(key));
    this.#bytes += sizeOf(key, value);
    if (value === undefined) this.#values.delete(key);
    else this.#values.set(key, value);
  }

  #write(change: { put: StoredValue } | { drop: string }, undo: () => void): void {
    try {
      this.#writer.write({ change: encoded(change), whole: () => this.#encoded() });
    } catch (error) {
      undo();
      // The record was written and the session was not: write the record again, with the values before.
      if (error instanceof LuoError && error.operation !== "record") {
        this.#writer.tryWrite({ change: undefined, whole: () => this.#encoded() });
      }
      throw error;
    }
  }

  /** Writes all again when the last write failed. Returns why the session does not have the values; undefined: it has them. */
  unpreserved(): string | undefined {
    if (this.#writer.problem === undefined) return undefined;
    const errors = this.#writer.tryWrite({ change: undefined, whole: () => this.#encoded() });
    return errors.find(({ operation }) => operation !== "record")?.summary;
  }

  /** Writes all of the record again: it was removed. */
  saveAgain(): void {
    if (!this.#begun) return;
    this.#writer.tryWrite({ change: undefined, whole: () => this.#encoded() });
  }

  #encoded(): Uint8Array {
    const values = [...this.#values].map(([key, value]) => storedValue(key, value));
    return encoded({ version: 1, bootId: this.bootId, values });
  }

  [Symbol.dispose](): void {
    this.#writer[Symbol.dispose]();
    this.session[Symbol.dispose]();
  }
}

const text = new TextEncoder();

function sorted(values: [string, Value][]): [string, Value][] {
  return values.sort(([one], [other]) => one < other ? -1 : 1);
}

/** The bytes that count against `VALUES_MAX`. */
function sizeOf(key: string, value: { readonly bytes: Uint8Array } | undefined): number {
  return value === undefined || isOwn(key) ? 0 : text.encode(key).length + value.bytes.length;
}

function encoded(value: object): Uint8Array {
  return text.encode(JSON.stringify(value));
}

function storedValue(key: string, { bytes, at }: Value): StoredValue {
  return { key, data: bytes.toBase64(), at };
}

interface Values {
  readonly bootId: string;
  readonly values: ReadonlyMap<string, Value>;
}

/** Undefined for bytes that are no values. One change that is none makes all of it unknown. */
export function decodeValues({ payload, entries }: JournalBytes): Values | undefined {
  try {
    const stored = parsed(payload);
    if (!compiled(StoredValues)(stored)) return undefined;
    const { bootId, values } = stored as { bootId: string; values: StoredValue[] };
    const found = new Map<string, Value>();
    for (const value of values) found.set(value.key, valueOf(value));
    const isChange = compiled(StoredValueChange);
    for (const entry of entries) {
      const change = parsed(entry);
      if (!isChange(change)) return undefined;
      const { put, drop } = change as { put?: StoredValue; drop?: string };
      if (put !== undefined) found.set(put.key, valueOf(put));
      else if (drop !== undefined) found.delete(drop);
      else return undefined;
    }
    return { bootId, values: found };
  } catch {
    return undefined;
  }
}

function valueOf({ data, at }: StoredValue): Value {
  return { bytes: Uint8Array.fromBase64(data), at };
}

function parsed(bytes: Uint8Array): unknown {
  return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
}
