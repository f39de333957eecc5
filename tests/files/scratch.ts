/** Directories, memfds and bytes for the tests of files. */
import * as abi from "../../ffi/abi/fcntl.ts";
import { memfd_create, pwrite, read } from "../../ffi/file.ts";
import { check } from "../../lib/error.ts";
import { HostFd } from "../../lib/files/host_fd.ts";

/** A private directory, removed at the end of its scope. */
export function scratch(): Disposable & { readonly path: string } {
  const path = Deno.makeTempDirSync({ prefix: "luo-files-" });
  return { path, [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }) };
}

/** Bytes that differ from page to page. */
export function pattern(size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i++) bytes[i] = (i * 31 + (i >> 12)) & 0xff;
  return bytes;
}

export function memfdOf(bytes: Uint8Array): HostFd {
  const fd = new HostFd(
    check(memfd_create("test", abi.MFD_CLOEXEC | abi.MFD_ALLOW_SEALING | abi.MFD_EXEC), "create", "memfd"),
  );
  if (bytes.length > 0) check(pwrite(fd.number, bytes, 0n), "write", "memfd");
  return fd;
}

export function readAll(fd: number): Uint8Array {
  const parts: number[] = [];
  const buffer = new Uint8Array(65536);
  for (let bytes = read(fd, buffer); bytes > 0; bytes = read(fd, buffer)) {
    for (const byte of buffer.subarray(0, bytes)) parts.push(byte);
  }
  return new Uint8Array(parts);
}
