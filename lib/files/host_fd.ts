/** An owned file descriptor of the host. */
import { close } from "../../ffi/file.ts";
import { OwnedNumber } from "../owned_number.ts";

/** Closes the descriptor when its scope ends, unless `release` gave it away. */
export class HostFd extends OwnedNumber implements Disposable {
  /** Closes the descriptor, unless it was released. */
  [Symbol.dispose](): void {
    if (!this.closed) close(this.release());
  }
}
