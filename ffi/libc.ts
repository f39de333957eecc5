/**
 * Opens glibc, calls it and reads its errno.
 *
 * Every function in `ffi/` returns a value >= 0, or the errno negated. No function may be called between a call into C and the
 * reading of errno: V8 may collect garbage when a function begins, and the collector's own system calls leave their errno
 * (measured: EAGAIN). This is why errno is the second argument of `ret`. tests/ffi/collection_test.ts holds this.
 *
 * A buffer never moves: Deno builds V8 without typed arrays in the collector's heap. It is freed when no variable has it.
 */
import { type Arch, archOf } from "./abi/arch.ts";
import { encodeOsText, writeAscii } from "./abi/os_text.ts";
import { symbols } from "./symbols.ts";

type Calls = Deno.DynamicLibrary<typeof symbols>["symbols"];

// Never closed: a closed libc would leave dangling pointers.
let opened: Calls | undefined;

/** The errno of this thread, mapped by the first `libc()`: every read gives its value of that moment. */
export let errno: Int32Array = new Int32Array(1);

/** glibc, opened at the first call. Needs `--allow-ffi`. */
export function libc(): Calls {
  return opened ??= open();
}

function open(): Calls {
  const call = calls();
  const location = call.__errno_location();
  if (location === null) throw new Error("__errno_location() gave no address");
  errno = new Int32Array(Deno.UnsafePointerView.getArrayBuffer(location, 4));
  return call;
}

/** To open calls together takes half the time. */
const TOGETHER = [
  // Every command that asks the agent needs these.
  ["__errno_location", "socket", "connect", "send", "poll", "recvmsg", "close"],
  // The later two are called while a machine stands still.
  ["syscall_kexec_file_load", "sync", "reboot"],
] as const;

/**
 * The calls, each of which is opened at its first use. Deno needs a quarter of a millisecond to compile a call, and a command uses
 * few of them. After the first use the call is an ordinary property of the object.
 */
function calls(): Calls {
  const unopened = {};
  const call = Object.create(unopened) as Calls;
  for (const name of Object.keys(symbols) as (keyof Calls)[]) {
    Object.defineProperty(unopened, name, {
      get() {
        const isName = (one: string) => one === name;
        const names: readonly (keyof Calls)[] = TOGETHER.find((group) => group.some(isName)) ?? [name];
        const wanted = Object.fromEntries(names.map((one) => [one, symbols[one]]));
        const { symbols: found } = Deno.dlopen("libc.so.6", wanted);
        for (const one of names) {
          Object.defineProperty(call, one, { value: found[one], enumerable: true, configurable: true });
        }
        return call[name];
      },
    });
  }
  return call;
}

/** Decodes the answer of a call that gives -1 and sets errno. Write it directly around the call: `ret(libc().close(fd), errno[0])`. */
export function ret(answer: number, code: number | undefined): number {
  return answer >= 0 ? answer : -(code ?? 0);
}

/** The architecture of this process. */
export const ARCH: Arch = archOf(Deno.build.arch);

/** A C string. Throws for a NUL in the text, because C would cut the text there and use another name. */
export function cString(value: string): Uint8Array<ArrayBuffer> {
  if (value.includes("\0")) throw new TypeError(`A NUL inside ${JSON.stringify(value)}`);
  return encodeOsText(value + "\0");
}

let name: Uint8Array<ArrayBuffer> | undefined;
const NAME_BYTES = 4096;

/**
 * A C string that is valid until the next call of this function: for a call into C with one name. To allocate a C string takes
 * longer than most system calls. Throws as `cString`.
 */
export function cName(value: string): Uint8Array<ArrayBuffer> {
  name ??= new Uint8Array(NAME_BYTES);
  const end = writeAscii(value, name, 0);
  if (end === NAME_BYTES || (end === 0 && value !== "")) return cString(value);
  name[end] = 0;
  return name;
}

/**
 * The address of `bytes`, for a struct that points to them. The caller must keep `bytes` alive until the call has returned:
 * `keepAlive`.
 */
export function addressOf(bytes: Uint8Array): bigint {
  return bytes.byteLength === 0 ? 0n : Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes));
}

/** A NULL-terminated array of the addresses of `strings`. */
export function addresses(strings: readonly Uint8Array[]): BigUint64Array<ArrayBuffer> {
  return new BigUint64Array([...strings.map(addressOf), 0n]);
}

/**
 * Called after a call into C: keeps buffers alive to which the call had only addresses. After a nonblocking call it is needed for
 * all buffers, because Deno keeps none of them.
 */
export function keepAlive(..._buffers: unknown[]): void {}
