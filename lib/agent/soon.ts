/** Work that is done at once when it need not wait: a request that needs no promise is answered in half the time. */

/** A value that is there, or will be. */
export type Soon<T> = T | Promise<T>;

/** Goes on with a value as soon as it is there. */
export function then<T, Next>(value: Soon<T>, next: (value: T) => Soon<Next>): Soon<Next> {
  return value instanceof Promise ? value.then(next) : next(value);
}

/** What `work` gives, or `failed` when it fails. */
export function orElse<T>(work: () => Soon<T>, failed: (error: unknown) => Soon<T>): Soon<T> {
  try {
    const value = work();
    return value instanceof Promise ? value.catch(failed) : value;
  } catch (error) {
    return failed(error);
  }
}

/** Works on one item after the other. */
export function inOrder<T>(items: readonly T[], work: (item: T) => Soon<void>): Soon<void> {
  for (const [index, item] of items.entries()) {
    const working = work(item);
    if (working instanceof Promise) return working.then(() => inOrder(items.slice(index + 1), work));
  }
}
