/** A command that ends as another program ended: its exit code, and nothing to say. */
export class Ended extends Error {
  override readonly name = "Ended";

  constructor(readonly exit: number) {
    super(`exit ${exit}`);
  }
}
