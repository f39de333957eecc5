/** Another process on Linux, which makes system calls for a case. Arguments: the FIFOs of requests and replies. */
import { linux } from "../../lib/linux/system_calls.ts";
import type { UserMemory, UserPointer } from "../../lib/system_calls.ts";
import type { RemoteCalls } from "./calls.ts";
import { decode, encode, Lines, type Request, type Value, writeLine } from "./wire.ts";

type Given = Request["values"];

const text = (value: Value) => typeof value === "string" ? value : "";
const count = (value: Value) => typeof value === "number" ? value : 0;
const bytes = (value: Value) => value instanceof Uint8Array ? value : new Uint8Array(0);
const wide = (value: Value) => typeof value === "bigint" ? value : 0n;
const isMemory = (value: Value): value is UserMemory =>
  typeof value === "object" && value !== null && "writable" in value;
const pointer = (value: Value): UserPointer => value instanceof Uint8Array || isMemory(value) ? value : null;

function perform(sys: RemoteCalls, call: string, [a, b, c]: Given): Value {
  switch (call) {
    case "open":
      return sys.open(text(a), count(b), count(c));
    case "close":
      return sys.close(count(a));
    case "ioctl":
      return sys.ioctl(count(a), count(b), pointer(c));
    case "memfd_create":
      return sys.memfd_create(text(a), count(b));
    case "pread":
      return sys.pread(count(a), bytes(b), wide(c));
    case "pwrite":
      return sys.pwrite(count(a), bytes(b), wide(c));
    case "pidfd_open":
      return sys.pidfd_open(count(a), count(b));
    case "pidfd_getfd":
      return sys.pidfd_getfd(count(a), count(b), count(c));
    default:
      return sys.getpid();
  }
}

if (import.meta.main) {
  const [requests, replies] = Deno.args;
  using input = Deno.openSync(requests ?? "", { read: true });
  using output = Deno.openSync(replies ?? "", { write: true });
  const sys = linux();
  const lines = new Lines(input);
  for (let line = lines.next(); line !== undefined; line = lines.next()) {
    const { call, values } = decode<Request>(line);
    const answer = perform(sys, call, values);
    writeLine(output, encode({ answer, values }));
  }
}
