/**
 * Tests of live update: the software model of the kernel, faults, and tests that run on the model and on a real kernel.
 *
 * ```ts ignore
 * import { liveUpdateTest, Machine } from "@luo/luo/testing";
 *
 * liveUpdateTest("the cache is warm", ({ sys }) => saveCache(sys), ({ sys }) => assert(loadCache(sys).warm));
 *
 * Deno.test("a full machine is no reason to lose the cache", () => {
 *   const machine = new Machine();
 *   using _ = machine.inject("alloc@3=ENOMEM");
 *   machine.run(saveCache);
 * });
 * ```
 *
 * The model needs no permission. See docs/library.md.
 *
 * @module
 */
export { liveUpdateTest } from "./testing/live_update_test.ts";
export type { Half, HalfOfTest, LiveUpdateTestOptions } from "./testing/live_update_test.ts";
export {
  Machine,
  type MachineOptions,
  type NextKernel,
  type OpenFile,
  type Reset,
  type Run,
  type SpawnOptions,
} from "./testing/machine.ts";
export {
  type LinuxResult,
  runOnLinux,
  testOnLinux,
  type TestOnLinuxOptions,
} from "./testing/test_on_linux.ts";
export {
  BadFaultSpec,
  type FailingPlace,
  type Fault,
  type FaultPlace,
  type FaultRule,
  type FaultSpec,
  type FaultTime,
  type OtherCall,
  parse_faults as parseFaults,
} from "./model/faults/fault_spec.ts";
export { type Disk, type DiskFile, MemoryDisk } from "./model/fs/disk.ts";
export { HostDisk } from "./model/fs/host_disk.ts";
export { standInBzImage } from "./kexec/bzimage.ts";
export {
  ProcessKilled,
  type Received,
  type Ret,
  type Stat,
  type SystemCalls,
  type UserMemory,
  type UserPointer,
  type Utsname,
} from "./system_calls.ts";
