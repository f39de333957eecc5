/** A program of somebody else: a live update on the model, with all four entry points. consumer_test.ts copies it out of the checkout. */
import { exec, Fd, loadImage, LuoError, openDevice, SessionHolder, type SystemCalls } from "@luo/luo";
import { check, errnoName, MFD_CLOEXEC } from "@luo/luo/abi";
import { AsyncAgentClient } from "@luo/luo/agent";
import { Machine, standInBzImage } from "@luo/luo/testing";

const machine: Machine = new Machine();
const holder: SessionHolder = new SessionHolder();

function save(sys: SystemCalls): void {
  using device = openDevice(sys);
  using state = Fd.of(sys, sys.memfd_create("state", MFD_CLOEXEC), "memfd_create");
  check(sys.write(state.number, new TextEncoder().encode("warm")), "write", "the state");
  holder.preserveAll(device, "cache", [[7n, state]]);
}

function enter(sys: SystemCalls): never {
  using kernel = Fd.of(sys, sys.memfd_create("kernel", 0), "memfd_create");
  check(sys.write(kernel.number, standInBzImage({ release: "7.3.5" })), "write", "the kernel");
  loadImage(sys, { kernel, commandLine: "liveupdate=on" });
  return exec(sys);
}

function load(sys: SystemCalls): string {
  using device = openDevice(sys);
  return device.restoreAll("cache", (session) => {
    using state = session.restore(7n);
    const bytes = new Uint8Array(100);
    return new TextDecoder().decode(bytes.subarray(0, sys.pread(state.number, bytes, 0n)));
  });
}

machine.run(save);
const { end } = machine.run(enter);
const run = machine.run(load);
const refused: string = new LuoError("create", "session", 17).code;
console.log(end, run.end === "returned" ? run.value : run.end, errnoName(2), refused, AsyncAgentClient.name);
