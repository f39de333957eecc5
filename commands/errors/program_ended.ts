/** The end of a command that ends as another program ended: with that program's exit code and without a message. */
export class Ended extends Error {
  override readonly name = "Ended";

  constructor(readonly exit: number) {
    super(`exit ${exit}`);
  }
}
