/**
 * Writes and reads bytes in order, little endian. The simulated drivers build their handover data with these classes.
 */

export class Writer {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  u32(value: number): this {
    const at = this.#room(4);
    this.#view.setUint32(at, value, true);
    return this;
  }

  u64(value: bigint | number): this {
    const at = this.#room(8);
    this.#view.setBigUint64(at, BigInt(value), true);
    return this;
  }

  /** Writes a u32 length, then the bytes. */
  block(bytes: Uint8Array): this {
    this.u32(bytes.length);
    const at = this.#room(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }

  text(text: string): this {
    return this.block(new TextEncoder().encode(text));
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  /**
   * Reserves the next `length` bytes and returns their offset. Call it before using the view: it may replace the
   * buffer.
   */
  #room(length: number): number {
    const at = this.#length;
    this.#length += length;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }
}

/** Thrown by `Reader` when the bytes end too early or say something impossible. */
export class BadBytes extends Error {
  override readonly name = "BadBytes";
}

export class Reader {
  #at = 0;
  readonly #view: DataView;

  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get left(): number {
    return this.bytes.length - this.#at;
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8), true);
  }

  /**
   * Reads a u64 that counts things of at least `size` bytes each, all of which follow. Rejects a count that the rest
   * cannot hold.
   */
  count(size: number): number {
    const count = this.u64();
    if (count * BigInt(size) > BigInt(this.left)) {
      throw new BadBytes(`a count of ${count} in ${this.left} bytes`);
    }
    return Number(count);
  }

  block(): Uint8Array {
    const length = this.u32();
    const at = this.#take(length);
    return this.bytes.slice(at, at + length);
  }

  text(): string {
    return new TextDecoder().decode(this.block());
  }

  #take(length: number): number {
    const at = this.#at;
    if (length > this.left) throw new BadBytes(`${length} bytes expected at ${at}, ${this.left} left`);
    this.#at += length;
    return at;
  }
}
