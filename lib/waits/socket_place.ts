/** Notices, by inotify, that a listening socket has lost its path: programs that clean up temporary files remove sockets too. */
import { close } from "../../ffi/file.ts";
import {
  IN_ATTRIB,
  IN_DELETE_SELF,
  IN_MOVE_SELF,
  inotify_add_watch,
  inotify_init1,
  inotify_read,
} from "../../ffi/watch.ts";

/** An open socket keeps its inode, so that the loss of its name shows as a change of its attributes. */
const LOSS = IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF;

export class SocketPlace implements Disposable {
  /** An inotify descriptor; negative when the system has none left. Then nothing tells, and the path is never known to be sound. */
  readonly fd = inotify_init1();
  #sound = false;

  constructor(readonly path: string) {
    this.watch();
  }

  /** Whether a socket was at the path at the last look, and nothing has happened to it since. */
  get sound(): boolean {
    return this.#sound;
  }

  /** Watches what is at the path now, and the directory, which can be moved or removed with it. */
  watch(): void {
    const { fd, path } = this;
    const directory = path.slice(0, path.lastIndexOf("/")) || "/";
    this.#sound = fd >= 0 &&
      inotify_add_watch(fd, directory, IN_MOVE_SELF | IN_DELETE_SELF) >= 0 &&
      inotify_add_watch(fd, path, LOSS) >= 0;
  }

  /** Called when `fd` can be read. Something has happened: a look at the path must follow. */
  changed(): void {
    inotify_read(this.fd);
    this.#sound = false;
  }

  [Symbol.dispose](): void {
    if (this.fd >= 0) close(this.fd);
  }
}
