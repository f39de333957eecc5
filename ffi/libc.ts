/**
 * Opens glibc, calls it and reads its errno.
 *
 * Every function in `ffi/` returns a value >= 0, or the errno negated. `ret` reads errno right after the synchronous call, with no
 * allocation in between: an allocation may collect garbage, and the collector makes system calls of its own.
 */
import { type Arch, archOf } from "./abi/arch.ts";
import { encodeOsText } from "./abi/os_text.ts";
import { symbols } from "./symbols.ts";

type Calls = Deno.DynamicLibrary<typeof symbols>["symbols"];

interface Libc {
  readonly call: Calls;
  /** The errno of this thread, mapped: every read gives its value of that moment. */
  readonly errno: Int32Array;
}

// Never closed: a closed libc would leave dangling pointers.
let opened: Libc | undefined;

/** glibc, opened at the first call. Needs `--allow-ffi`. */
export function libc(): Libc["call"] {
  opened ??= open();
  return opened.call;
}

function open(): Libc {
  const call = calls();
  const location = call.__errno_location();
  if (location === null) throw new Error("__errno_location() gave no address");
  return { call, errno: new Int32Array(Deno.UnsafePointerView.getArrayBuffer(location, 4)) };
}

/**
 * The calls, each of which is opened at its first use. Deno needs a quarter of a millisecond to compile a call, and a command uses
 * few of them. After the first use the call is an ordinary property of the object.
 */
function calls(): Calls {
  const unopened = {};
  const call = Object.create(unopened) as Calls;
  for (const name of Object.keys(symbols) as (keyof typeof symbols)[]) {
    Object.defineProperty(unopened, name, {
      get() {
        const { symbols: { [name]: value } } = Deno.dlopen("libc.so.6", { [name]: symbols[name] });
        Object.defineProperty(call, name, { value, enumerable: true });
        return value;
      },
    });
  }
  return call;
}

/** Decodes the answer of a call that gives -1 and sets errno. Write it directly around the call: `ret(libc().close(fd))`. */
export function ret(answer: number): number {
  if (answer >= 0) return answer;
  return -(opened?.errno[0] ?? 0);
}

/** The architecture of this process. */
export const ARCH: Arch = archOf(Deno.build.arch);

/** A C string. Throws for a NUL in the text, because C would cut the text there and use another name. */
export function cString(value: string): Uint8Array<ArrayBuffer> {
  if (value.includes("\0")) throw new TypeError(`A NUL inside ${JSON.stringify(value)}`);
  return encodeOsText(value + "\0");
}

/**
 * The address of `bytes`, for a struct that points to them. The caller must keep `bytes` alive until the call has returned:
 * `keepAlive`. (Reading `.buffer` moves a small array out of V8's heap, in which the collector could move it.)
 */
export function addressOf(bytes: Uint8Array): bigint {
  if (bytes.byteLength === 0) return 0n;
  const pinned = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Deno.UnsafePointer.value(Deno.UnsafePointer.of(pinned));
}

/** A NULL-terminated array of the addresses of `strings`. */
export function addresses(strings: readonly Uint8Array[]): BigUint64Array<ArrayBuffer> {
  return new BigUint64Array([...strings.map(addressOf), 0n]);
}

/** Called after a call into C: keeps buffers alive to which the call had only addresses. */
export function keepAlive(..._buffers: unknown[]): void {}
