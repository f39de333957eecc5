/** Free page frames as ranges, in no order. Ranges that touch are merged. */
export class FreeRanges {
  total = 0;
  /** Length of each range by its first frame. */
  #byStart = new Map<number, number>();
  /** First frame of each range by the frame after its last one. */
  #byEnd = new Map<number, number>();

  /**
   * Takes up to `count` frames in one piece. Looks at 16 ranges at most, and takes what the largest of them has when
   * none has enough.
   */
  take(count: number): [base: number, count: number] {
    let looked = 0;
    let chosen: number | undefined;
    let size = 0;
    for (const [base, length] of this.#byStart) {
      if (length > size) [chosen, size] = [base, length];
      if (size >= count || ++looked === 16) break;
    }
    if (chosen === undefined) throw new Error("Out of page frames");
    const got = Math.min(size, count);
    this.#remove(chosen);
    this.#insert(chosen + got, size - got);
    return [chosen, got];
  }

  /**
   * Takes `count` frames (a power of two) in one piece that begins at a multiple of `count`. Undefined when none of
   * 1,024 ranges has them.
   */
  take_aligned(count: number): number | undefined {
    let looked = 0;
    for (const [base, length] of this.#byStart) {
      const aligned = Math.ceil(base / count) * count;
      if (aligned + count <= base + length) {
        this.#remove(base);
        this.#insert(base, aligned - base);
        this.#insert(aligned + count, base + length - aligned - count);
        return aligned;
      }
      if (++looked === 1024) return undefined;
    }
    return undefined;
  }

  give(base: number, count: number): void {
    let [start, length] = [base, count];
    const before = this.#byEnd.get(base);
    if (before !== undefined) {
      start = before;
      length += this.#remove(before);
    }
    if (this.#byStart.has(base + count)) length += this.#remove(base + count);
    this.#insert(start, length);
  }

  #insert(start: number, length: number): void {
    if (length <= 0) return;
    this.#byStart.set(start, length);
    this.#byEnd.set(start + length, start);
    this.total += length;
  }

  #remove(start: number): number {
    const length = this.#byStart.get(start) ?? 0;
    this.#byStart.delete(start);
    this.#byEnd.delete(start + length);
    this.total -= length;
    return length;
  }
}
