/** A set of page indexes, stored as ranges. Its size depends on the number of ranges, not on the number of pages. */

interface Range {
  readonly from: number;
  /** The page after the last one. */
  readonly to: number;
}

export class PageRanges {
  /** In order, without overlaps. */
  readonly #ranges: Range[] = [];

  add(from: number, to: number): void {
    this.remove(from, to);
    this.#ranges.splice(this.#first_ending_after(from), 0, { from, to });
  }

  remove(from: number, to: number): void {
    if (this.#ranges.length === 0 || from >= to) return;
    const first = this.#first_ending_after(from);
    const left: Range[] = [];
    let last = first;
    for (; last < this.#ranges.length; last++) {
      const range = this.#ranges[last];
      if (range === undefined || range.from >= to) break;
      if (range.from < from) left.push({ from: range.from, to: from });
      if (range.to > to) left.push({ from: to, to: range.to });
    }
    this.#ranges.splice(first, last - first, ...left);
  }

  /** The first page of the set from `index` on; Infinity when there is none. */
  next_in(index: number): number {
    const range = this.#ranges[this.#first_ending_after(index)];
    return range === undefined ? Infinity : Math.max(index, range.from);
  }

  /** The first page from `index` on that is not in the set. */
  next_out(index: number): number {
    let at = index;
    for (let i = this.#first_ending_after(index); this.next_in(at) === at; i++) {
      at = this.#ranges[i]?.to ?? at + 1;
    }
    return at;
  }

  /** Position of the first range that ends after page `index`. */
  #first_ending_after(index: number): number {
    let [low, high] = [0, this.#ranges.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const range = this.#ranges[middle];
      if (range !== undefined && range.to <= index) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
