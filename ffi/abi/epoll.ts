/** epoll and poll (`include/uapi/linux/eventpoll.h`, `asm-generic/poll.h`): numbers and codecs. Pure data. */
import type { Arch } from "./arch.ts";

export const EPOLL_CLOEXEC = 0o2000000;
export const EPOLL_CTL_ADD = 1;
export const EPOLL_CTL_DEL = 2;
export const EPOLL_CTL_MOD = 3;

export const EPOLLIN = 0x001;
export const EPOLLOUT = 0x004;
export const EPOLLERR = 0x008;
export const EPOLLHUP = 0x010;
export const EPOLLRDHUP = 0x2000;
/** An event for each change, none for a state that lasts: a pipe without a writer ends one wait only. */
export const EPOLLET: number = 2 ** 31;
export const EPOLLONESHOT: number = 1 << 30;

export const POLLERR = 0x008;
export const POLLHUP = 0x010;
export const POLLNVAL = 0x020;

/** `fd` is the `data` that `epoll_ctl` got. */
export interface EpollEvent {
  readonly fd: number;
  readonly events: number;
}

export function encodeEpollEvent(event: EpollEvent, arch: Arch): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(arch.epoll_event_size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, event.events >>> 0, true);
  view.setInt32(arch.epoll_event_data, event.fd, true);
  return bytes;
}

export function decodeEpollEvents(bytes: Uint8Array<ArrayBuffer>, count: number, arch: Arch): EpollEvent[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found: EpollEvent[] = [];
  for (let at = 0; found.length < count; at += arch.epoll_event_size) {
    found.push({ fd: view.getInt32(at + arch.epoll_event_data, true), events: view.getUint32(at, true) });
  }
  return found;
}

/** `struct pollfd`: s32 fd @0; s16 events @4; s16 revents @6. */
export function encodePollFd(fd: number, events: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, fd, true);
  view.setUint16(4, events, true);
  return bytes;
}

export function decodePollFd(bytes: Uint8Array<ArrayBuffer>): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint16(6, true);
}
